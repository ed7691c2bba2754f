import Testing
import TokenRanges

struct TokenRangeTests {
    @Test func `the pieces of any range are the range, and none is two tokens larger than another`() {
        var generator = SeededGenerator(state: 1)
        for _ in 0..<500 {
            let tokens = [
                Int64.random(in: .min ... .max, using: &generator), .random(in: .min ... .max, using: &generator),
            ]
            guard let range = TokenRange(after: tokens.min()!, through: tokens.max()!) else { continue }
            let count = Int.random(in: 1...200, using: &generator)
            let pieces = range.split(into: count)
            #expect(pieces.count == count)
            #expect(pieces.first?.start == range.start && pieces.last?.end == range.end)
            #expect(zip(pieces, pieces.dropFirst()).allSatisfy { $0.end == $1.start })
            let sizes = pieces.map(\.tokenCount)
            #expect(sizes.max()! - sizes.min()! <= 1)
        }
    }

    @Test func `the whole ring and a range of three tokens split to the token`() {
        #expect(TokenRange.ring.split(into: 2).map(\.end) == [0, .max])
        #expect(TokenRange.ring.tokenCount == .max)
        #expect(TokenRange(start: 5, end: 8).split(into: 10).map(\.end) == [6, 7, 8])
        #expect(TokenRange(start: 5, end: 6).split(into: 0) == [TokenRange(start: 5, end: 6)])
    }

    @Test func `a checkpoint leaves what is behind it`() {
        let range = TokenRange(start: 10, end: 20)
        #expect(range.remainder(after: nil) == range)
        #expect(range.remainder(after: 3) == range)
        #expect(range.remainder(after: 19) == TokenRange(start: 19, end: 20))
        #expect(range.remainder(after: 20) == nil)
        #expect(!range.contains(10) && range.contains(11) && range.contains(20))
        #expect(TokenRange(after: 7, through: 7) == nil)
    }
}
