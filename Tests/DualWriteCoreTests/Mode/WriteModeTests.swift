import DualWriteCore
import Testing

struct WriteModeTests {
    @Test(arguments: [
        ("PrimaryOnly", WriteMode.primaryOnly), ("sourceonly", .primaryOnly), ("0", .primaryOnly),
        ("dualwriteasync", .dualWriteAsync), ("DualAsync", .dualWriteAsync), ("1", .dualWriteAsync),
        ("DualWriteSync", .dualWriteSync), ("DUALSYNC", .dualWriteSync), ("2", .dualWriteSync),
        ("ShadowPrimary", .shadowPrimary), ("3", .shadowPrimary), ("TargetOnly", .targetOnly), ("4", .targetOnly),
    ])
    func `every name, older name and number is read`(text: String, mode: WriteMode) throws {
        #expect(try WriteMode(parsing: text) == mode)
    }

    @Test(arguments: ["", "5", "-1", "Dual", "PrimaryOnly ", "00", "ß"])
    func `anything else is refused with the list of valid names`(text: String) {
        let error = #expect(throws: WriteModeError.self) { try WriteMode(parsing: text) }
        #expect(error?.description.contains("'\(text)'") == true)
        for mode in WriteMode.allCases { #expect(error?.description.contains(mode.name) == true) }
    }

    @Test func `roles follow the design's table`() {
        let roles = WriteMode.allCases.map { [$0.primary, $0.shadow] }
        #expect(
            roles == [
                [.source, nil], [.source, .target], [.source, .target], [.target, .source], [.target, nil],
            ]
        )
        #expect(WriteMode.allCases.filter(\.isJoin) == [.dualWriteSync])
        #expect(!WriteMode.primaryOnly.needs(.target))
        #expect(!WriteMode.targetOnly.needs(.source))
        #expect(WriteMode.shadowPrimary.needs(.source) && WriteMode.shadowPrimary.needs(.target))
    }
}
