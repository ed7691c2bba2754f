import CQLProtocol
import LiveTables
import NIOCore
import Testing

@testable import CQLClient
@testable import SSTableLoader

/// Which statements a writer sends together.
struct GatheringTests {
    private static func statement(bytes: Int = 1, isIdempotent: Bool = true) -> WriterStatement {
        let variables = PreparedMetadata(markers: [])
        let prepared = CQLStatement(
            text: "INSERT",
            variables: variables,
            columns: .none,
            isIdempotent: isIdempotent,
            prepared: Prepared(id: ByteBuffer(), variables: variables)
        )
        let statement = TargetStatement("INSERT", [], timestamp: 1, isIdempotent: isIdempotent)
        return WriterStatement(prepared: prepared, statement: statement, values: [], bytes: bytes)
    }

    private static let limits = {
        var limits = TargetWriter.Limits()
        limits.batchStatementsMax = 3
        limits.batchBytesMax = 10
        return limits
    }()

    /// The sizes of the requests that statements become, in their order.
    private static func sizes(_ statements: [(WriterStatement, key: String)]) -> [Int] {
        var state = WriterState()
        var requests = statements.compactMap { state.gather($0.0, ByteBuffer(string: $0.key), Self.limits) }
        if let last = state.gathered { requests.append(last) }
        #expect(requests.map(\.bytes).reduce(0, +) == statements.map(\.0.bytes).reduce(0, +))
        return requests.map(\.statements.count)
    }

    @Test func `statements of one partition go together, up to their number`() {
        #expect(Self.sizes((0..<7).map { _ in (Self.statement(), key: "a") }) == [3, 3, 1])
        #expect(Self.sizes(["a", "a", "b", "a"].map { (Self.statement(), key: $0) }) == [2, 1, 1])
    }

    @Test func `statements go together up to their bytes, and one that is larger goes alone`() {
        #expect(Self.sizes([5, 5, 1].map { (Self.statement(bytes: $0), key: "a") }) == [2, 1])
        #expect(Self.sizes([1, 50, 1].map { (Self.statement(bytes: $0), key: "a") }) == [1, 1, 1])
    }

    @Test func `what may not be sent again goes alone`() {
        let order = [true, true, false, false, true, true]
        #expect(Self.sizes(order.map { (Self.statement(isIdempotent: $0), key: "a") }) == [2, 1, 1, 2])
    }

    @Test func `to gather a statement does not move those that are gathered`() {
        var limits = Self.limits
        limits.batchStatementsMax = 64
        limits.batchBytesMax = 64
        var state = WriterState()
        var moves = 0
        var before: UnsafeRawPointer?
        for _ in 0..<64 {
            let full = state.gather(Self.statement(), ByteBuffer(), limits)
            #expect(full.map(\.statements.count) == nil)
            let place = state.gathered?.statements.withUnsafeBytes { $0.baseAddress }
            if place != before { moves += 1 }
            before = place
        }
        // An array that grows to twice its size moves once for each power of two.
        #expect(moves <= 8)
    }
}
