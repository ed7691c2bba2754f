import DualWriteCore
import Testing

@testable import DualWriter

struct RequestTableTests {
    @Test func `a ticket finds its request until that is over, never the next one in its place`() throws {
        var table = RequestTable(limit: 2, bytesMax: 1_000)
        let first = try taken(&table)
        let ticket = RequestTicket(rawValue: first.ticket(.request, .target))
        do {
            let found = table.request(for: ticket)
            #expect(found === first)
        }
        #expect(ticket.leg == 1 && ticket.purpose == .request)
        table.giveBack(first)
        do {
            let found = table.request(for: ticket)
            #expect(found == nil)
        }
        let second = try taken(&table)
        #expect(second === first)
        do {
            let found = table.request(for: ticket)
            #expect(found == nil)
        }
        do {
            let found = table.request(for: RequestTicket(rawValue: second.ticket(.prepare, .source)))
            #expect(found === second)
        }
    }

    @Test func `the limit is the limit`() throws {
        var table = RequestTable(limit: 2, bytesMax: 1_000)
        let first = try taken(&table)
        _ = try taken(&table)
        let none = table.take(bytes: 0)
        #expect(none == nil)
        table.giveBack(first)
        _ = try taken(&table)
        let inUse = table.inUse
        #expect(inUse == 2)
    }

    @Test func `bytes have a limit of their own, which a single request may exceed`() throws {
        var table = RequestTable(limit: 8, bytesMax: 1_000)
        let huge = try taken(&table, bytes: 5_000)
        let none = table.take(bytes: 1)
        #expect(none == nil)
        table.giveBack(huge)
        let half = try taken(&table, bytes: 600)
        let beyond = table.take(bytes: 401)
        #expect(beyond == nil)
        _ = try taken(&table, bytes: 400)
        table.giveBack(half)
        _ = try taken(&table, bytes: 600)
    }

    @Test func `only requests in use whose time has come expire`() throws {
        var table = RequestTable(limit: 3, bytesMax: 1_000)
        let early = try taken(&table)
        let late = try taken(&table)
        let over = try taken(&table)
        early.deadline = 10
        late.deadline = 11
        over.deadline = 1
        table.giveBack(over)
        var expired: [ProxiedRequest] = []
        table.forEachExpired(now: 10) { expired.append($0) }
        #expect(expired.count == 1 && expired.first === early)
    }

    @Test func `a retained body is the bytes that were given, with room to append`() {
        var body = RetainedBody()
        for size in [0, 1, 255, 256, 5_000] {
            let bytes = (0..<size).map { UInt8(truncatingIfNeeded: $0) }
            bytes.withUnsafeBytes { body.assign($0, reserving: 8) }
            let kept = Array(body.bytes)
            #expect(kept == bytes)
            body.append(Int64(0x0102_0304_0506_0708))
            let longer = Array(body.bytes)
            #expect(longer == bytes + [1, 2, 3, 4, 5, 6, 7, 8])
            body.reset()
            let count = body.count
            #expect(count == 0)
        }
    }
}

/// `#require` cannot hold a noncopyable table, so that taking happens outside of it.
private func taken(_ table: inout RequestTable, bytes: Int = 0) throws -> ProxiedRequest {
    let request = table.take(bytes: bytes)
    return try #require(request)
}
