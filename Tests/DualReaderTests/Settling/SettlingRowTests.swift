import NIOCore
import Testing
import TokenRanges

@testable import DualReader

struct SettlingRowTests {
    private static let place = RowPlace(key: [ByteBuffer(integer: 1 as Int32)], clustering: [], token: 1)

    private static func difference(_ value: UInt8) -> Difference {
        Difference(
            kind: .value,
            aspect: .value,
            table: TableName(keyspace: "k", table: "t"),
            place: Self.place,
            column: "v",
            source: .init(value: ByteBuffer(bytes: [value]), writetime: 1),
            target: .init(value: ByteBuffer(bytes: [0]), writetime: 1)
        )
    }

    private static let limits: SettleLimits = {
        var limits = SettleLimits()
        (limits.readsMin, limits.readsMax, limits.owedMax) = (2, 4, .seconds(10))
        return limits
    }()

    private func read(_ row: inout SettlingRow, _ value: UInt8?, isOwed: Bool = false, _ seconds: Int = 1)
        -> SettlingRow.Verdict
    {
        row.read(
            value.map { [Self.difference($0)] } ?? [],
            isOwed: isOwed,
            elapsed: .seconds(seconds),
            Self.limits
        )
    }

    @Test func `what is there each time remains, what is gone once agrees`() {
        let suspect = Suspect(place: Self.place, differences: [Self.difference(1)])
        var row = SettlingRow(suspect)
        #expect(self.read(&row, 1) == .again)
        #expect(self.read(&row, 1) == .remains([Self.difference(1)]))
        row = SettlingRow(suspect)
        #expect(self.read(&row, 1) == .again)
        #expect(self.read(&row, nil) == .agrees)
    }

    @Test func `what is another difference each time is undecided and never counted`() {
        var row = SettlingRow(Suspect(place: Self.place, differences: [Self.difference(1)]))
        for value in 2...4 as ClosedRange<UInt8> { #expect(self.read(&row, value) == .again) }
        guard case .undecided = self.read(&row, 5) else {
            Issue.record("it is undecided")
            return
        }
    }

    @Test func `what is owed waits, and is undecided when it is owed for too long`() {
        var row = SettlingRow(Suspect(place: Self.place, differences: [Self.difference(1)]))
        for second in 1...9 { #expect(self.read(&row, 1, isOwed: true, second) == .again) }
        #expect(self.read(&row, 1, 9) == .again)
        #expect(self.read(&row, 1, 9) == .remains([Self.difference(1)]))
        guard case .undecided = self.read(&row, 1, isOwed: true, 10) else {
            Issue.record("it is undecided")
            return
        }
    }
}
