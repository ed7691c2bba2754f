import Testing

@testable import CQLClient

struct StreamTableTests {
    @Test func `streams are given out until none is left and come back with their answer`() throws {
        var table = StreamTable(capacity: 2)
        let first = try taken(&table, 7)
        let second = try taken(&table, 8)
        #expect(first != second)
        let result1 = given(&table, 9)
        #expect(result1 == nil)
        let isFull = table.isFull
        #expect(isFull)
        let result2 = released(&table, first)
        #expect(result2 == 7)
        let result3 = given(&table, 9)
        #expect(result3 == first)
    }

    @Test func `an answer to nothing is told from an answer to something`() throws {
        var table = StreamTable(capacity: 4)
        let result4 = released(&table, 0)
        #expect(result4 == nil)
        let result5 = released(&table, -1)
        #expect(result5 == nil)
        let result6 = released(&table, 4)
        #expect(result6 == nil)
        let stream = try taken(&table, 1)
        let result7 = released(&table, stream)
        #expect(result7 == 1)
        let result8 = released(&table, stream)
        #expect(result8 == nil)
    }

    @Test func `an abandoned stream stays taken until its late answer comes`() throws {
        var table = StreamTable(capacity: 1)
        let stream = try taken(&table, 5)
        table.abandon(6, stream: stream)
        table.abandon(5, stream: stream)
        let result9 = given(&table, 9)
        #expect(result9 == nil)
        let answer = released(&table, stream)
        let late = try #require(answer)
        #expect(late >= StreamTable.reservedFrom)
        let result10 = given(&table, 9)
        #expect(result10 == stream)
    }

    @Test func `a lost connection gives back every ticket but the abandoned ones`() throws {
        var table = StreamTable(capacity: 3)
        let first = try taken(&table, 1)
        _ = table.take(2)
        table.abandon(1, stream: first)
        let lost = table.drain().map(\.ticket)
        #expect(lost == [2])
        let inUse = table.inUse
        #expect(inUse == 0)
    }
}

// `#expect` and `#require` cannot hold a noncopyable table, so that its calls happen outside of them.
private func given(_ table: inout StreamTable, _ ticket: UInt64) -> Int16? { table.take(ticket) }

private func released(_ table: inout StreamTable, _ stream: Int16) -> UInt64? { table.release(stream) }

private func taken(_ table: inout StreamTable, _ ticket: UInt64) throws -> Int16 {
    let stream = table.take(ticket)
    return try #require(stream)
}
