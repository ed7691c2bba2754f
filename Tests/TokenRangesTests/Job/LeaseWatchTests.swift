import Testing

@testable import TokenRanges

/// Whether somebody is alive, by what is seen of leases.
struct LeaseWatchTests {
    private static let parts = ranges(3).map(\.id)

    /// Leases of parts by how many seconds they last; nil for a part that nobody has.
    private func leases(_ seconds: Int?...) -> [JobPart.ID: LeaseLeft] {
        var leases: [JobPart.ID: LeaseLeft] = [:]
        for (part, seconds) in zip(Self.parts, seconds) {
            if let seconds { leases[part] = LeaseLeft(worker: "w", left: .seconds(seconds)) }
        }
        return leases
    }

    @Test func `where no part is leased nobody is at work`() {
        var watch = LeaseWatch()
        #expect(watch.saw([:], after: .zero) == .nobody)
    }

    @Test func `leases that only become shorter are those of dead workers, until none is left`() {
        var watch = LeaseWatch()
        #expect(watch.saw(self.leases(60, 20), after: .zero) == .unclear(atMost: .seconds(62)))
        #expect(watch.saw(self.leases(50, 10), after: .seconds(10)) == .unclear(atMost: .seconds(62)))
        // Seconds are whole: twice the same is no renewal.
        #expect(watch.saw(self.leases(50, 10), after: .milliseconds(10_400)) == .unclear(atMost: .seconds(62)))
        #expect(watch.saw(self.leases(1, nil), after: .seconds(59)) == .unclear(atMost: .seconds(62)))
        #expect(watch.saw([:], after: .seconds(60)) == .nobody)
    }

    @Test func `whoever renews a lease is alive`() {
        var watch = LeaseWatch()
        _ = watch.saw(self.leases(60, 60), after: .zero)
        _ = watch.saw(self.leases(41, 41), after: .seconds(19))
        // Less than at the first look, and more than at the last one.
        #expect(watch.saw(self.leases(40, 59), after: .seconds(20)) == .somebody)
    }

    @Test func `whoever takes another part is alive`() {
        var watch = LeaseWatch()
        _ = watch.saw(self.leases(60), after: .zero)
        #expect(watch.saw(self.leases(nil, 60), after: .seconds(1)) == .somebody)
    }

    @Test func `a lease that ought to have run out and has not is renewed, however seldom one looks`() {
        var watch = LeaseWatch()
        _ = watch.saw(self.leases(6), after: .zero)
        #expect(watch.saw(self.leases(5), after: .seconds(8)) == .unclear(atMost: .seconds(8)))
        #expect(watch.saw(self.leases(5), after: .milliseconds(8_001)) == .somebody)
    }
}
