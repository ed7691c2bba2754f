import TestSupport
import Testing
import TokenRanges

import DualReader

struct SamplingTests {
    @Test(arguments: [1, 10, 50, 99.5] as [Double])
    func `about the wanted share is sampled, and the ranges hold just the sampled tokens`(_ percentage: Double) {
        let sampling = Sampling(percentage: percentage, seed: 7, slices: 1_000)
        var random = SeededRandom(seed: 5)
        let ranges = TokenRange.ring.split(into: 37).flatMap { sampling.ranges(in: $0) }
        #expect(ranges == ranges.sorted())
        let share = ranges.reduce(0) { $0 + Double($1.tokenCount) } / Double(TokenRange.ring.tokenCount) * 100
        #expect(abs(share - percentage) < 4, "\(share)")
        for _ in 0..<2_000 {
            let token = Int64.random(in: (.min + 1)...(.max), using: &random)
            #expect(sampling.isSampled(token) == ranges.contains { $0.contains(token) })
        }
    }

    @Test func `everything is one range, nothing is none, and another seed samples others`() {
        #expect(Sampling().ranges(in: .ring) == [.ring])
        #expect(Sampling(percentage: 0).ranges(in: .ring) == [])
        let ranges = [1, 2].map { Sampling(percentage: 10, seed: $0).ranges(in: .ring) }
        #expect(ranges[0] != ranges[1])
        #expect(ranges[0] == Sampling(percentage: 10, seed: 1).ranges(in: .ring))
    }
}
