import DualWriteCore
import Testing

struct LoginCheckTests {
    private static func check(_ mode: WriteMode, asking: Set<Cluster>, ownNames: Set<Cluster>) -> LoginCheck {
        LoginCheck(mode: mode, asksForCredentials: asking.contains, usesOwnNames: ownNames.contains)
    }

    private static let both: Set<Cluster> = [.source, .target]

    @Test(arguments: WriteMode.allCases) func `the primary checks, where clients use their own names there`(
        mode: WriteMode
    ) {
        #expect(Self.check(mode, asking: Self.both, ownNames: Self.both) == .cluster(mode.primary))
        #expect(Self.check(mode, asking: Self.both, ownNames: [mode.primary]) == .cluster(mode.primary))
        #expect(Self.check(mode, asking: [mode.primary], ownNames: Self.both) == .cluster(mode.primary))
    }

    @Test(arguments: WriteMode.allCases) func `else the shadow checks, where the mode has one`(mode: WriteMode) {
        let other = mode.primary.other
        let usesOther = mode.shadow != nil
        let byOther = usesOther ? LoginCheck.cluster(other) : .configured(mode.primary)
        #expect(Self.check(mode, asking: Self.both, ownNames: [other]) == byOther)
        #expect(Self.check(mode, asking: [other], ownNames: Self.both) == (usesOther ? .cluster(other) : .none))
    }

    @Test(arguments: WriteMode.allCases) func `else the sidecar compares with what is configured, never lets all in`(
        mode: WriteMode
    ) {
        #expect(Self.check(mode, asking: Self.both, ownNames: []) == .configured(mode.primary))
        #expect(Self.check(mode, asking: [mode.primary], ownNames: [mode.primary.other]) == .configured(mode.primary))
        #expect(Self.check(mode, asking: [], ownNames: Self.both) == .none)
        #expect(Self.check(mode, asking: [mode.primary.other], ownNames: []) == .none)
    }
}
