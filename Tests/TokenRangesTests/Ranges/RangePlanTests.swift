import Testing
import TokenRanges

struct RangePlanTests {
    private func expectCover(_ plan: [PlannedRange], _ ring: Ring, seed: UInt64) {
        #expect(plan.first?.range.start == .min && plan.last?.range.end == .max, "seed \(seed)")
        #expect(zip(plan, plan.dropFirst()).allSatisfy { $0.range.end == $1.range.start }, "seed \(seed)")
        let ends = Set(plan.map(\.range.end))
        let missing = ring.tokens.filter { $0 != .min && !ends.contains($0) }
        #expect(missing.isEmpty, "seed \(seed): a range crosses a token of a node")
    }

    @Test(arguments: 0..<200 as Range<UInt64>)
    func `a plan covers the ring once and crosses no token, whatever the ring and the estimates`(seed: UInt64) {
        var generator = SeededGenerator(state: seed)
        let count = [0, 1, 2, 3, 256, 1_000].randomElement(using: &generator)!
        let edges: [Int64] = [.min, .max, -1, 0, 1].filter { _ in Bool.random(using: &generator) }
        let tokens = (0..<count).map { _ in Int64.random(in: .min ... .max, using: &generator) } + edges
        let ring = Ring(tokens: tokens)
        // As wrong as a node can be: any ranges, overlapping, wrapping, negative, immense.
        let estimates = (0..<Int.random(in: 0...50, using: &generator)).map { _ in
            SizeEstimate(
                start: .random(in: .min ... .max, using: &generator),
                end: .random(in: .min ... .max, using: &generator),
                meanPartitionBytes: [-1, 0, 200, .max].randomElement(using: &generator)!,
                partitionCount: [-5, 0, 1_000_000, .max].randomElement(using: &generator)!
            )
        }
        let limits = RangePlan.Limits(rangesMin: Int.random(in: 1...3_000, using: &generator), rangesMax: 10_000)
        let plan = RangePlan.ranges(ring: ring, estimates: estimates, limits: limits)
        self.expectCover(plan, ring, seed: seed)
        #expect(plan.count >= limits.rangesMin)
        #expect(plan.count <= limits.rangesMax + ring.tokens.count + 1)
        #expect(plan.allSatisfy { ($0.expectedBytes == nil) == (estimates.isEmpty) })
    }

    @Test func `a large table is cut into ranges of the wanted size`() {
        // One node with one token at 0, as Cassandra writes it: the range that wraps comes as two.
        let estimates = [
            SizeEstimate(start: .min, end: 0, meanPartitionBytes: 1 << 20, partitionCount: 640),
            SizeEstimate(start: 0, end: .min, meanPartitionBytes: 1 << 20, partitionCount: 64),
        ]
        let plan = RangePlan.ranges(ring: Ring(tokens: [0]), estimates: estimates)
        #expect(plan.count == 11)
        #expect(plan.allSatisfy { $0.expectedBytes == 64 << 20 })
        #expect(plan.filter { $0.range.end <= 0 }.count == 10)
    }

    @Test func `ScyllaDB's wrapping range counts on both sides of the ring`() {
        let ring = Ring(tokens: [Int64.min / 2, Int64.max / 2])
        let estimates = [
            SizeEstimate(start: .max / 2, end: .min / 2, meanPartitionBytes: 100, partitionCount: 2_000),
            SizeEstimate(start: .min / 2, end: .max / 2, meanPartitionBytes: 100, partitionCount: 4_000),
        ]
        let plan = RangePlan.ranges(ring: ring, estimates: estimates)
        #expect(plan.map(\.expectedBytes) == [100_000, 400_000, 100_000])
    }

    @Test func `a range that no node tells of is as dense as the others`() {
        let ring = Ring(tokens: [0])
        let known = SizeEstimate(start: .min, end: 0, meanPartitionBytes: 1_000, partitionCount: 1_000)
        let plan = RangePlan.ranges(ring: ring, estimates: [known])
        #expect(plan.map(\.expectedBytes) == [1_000_000, 1_000_000])
    }

    @Test func `two nodes that tell of one range count once`() {
        let same = SizeEstimate(start: .min, end: .max, meanPartitionBytes: 10, partitionCount: 100)
        #expect(RangePlan.ranges(ring: Ring(tokens: []), estimates: [same, same]).map(\.expectedBytes) == [1_000])
    }

    @Test func `small neighbours are joined where that is wanted, and only where their size is known`() {
        let tokens = TokenRange.ring.split(into: 1_024).map(\.end)
        let estimate = SizeEstimate(start: .min, end: .max, meanPartitionBytes: 1 << 20, partitionCount: 256)
        let limits = RangePlan.Limits(joinsSmall: true)
        let ring = Ring(tokens: tokens)
        let joined = RangePlan.ranges(ring: ring, estimates: [estimate], limits: limits)
        #expect((4...6).contains(joined.count))
        #expect(zip(joined, joined.dropFirst()).allSatisfy { $0.range.end == $1.range.start })
        #expect(RangePlan.ranges(ring: ring, estimates: [], limits: limits).count == 1_024)
        #expect(RangePlan.ranges(ring: ring, estimates: [estimate]).count == 1_024)
    }
}
