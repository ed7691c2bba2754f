import TestSupport
import Testing
import TokenRanges

@testable import DualReader

struct DigestShapeTests {
    private static let ranges = [
        TokenRange.ring, TokenRange(start: -10, end: 10), TokenRange(start: 5, end: 6),
        TokenRange(start: .min, end: .min + 3), TokenRange(start: .max - 100_000, end: .max),
        TokenRange(start: -4_000_000_000_000_000_000, end: 4_500_000_000_000_000_000),
    ]

    @Test func `leaves are together the range and hold the tokens that are theirs`() {
        for range in Self.ranges {
            for levels in 0...3 {
                let shape = DigestShape(range: range, levels: levels)
                var start = range.start
                for leaf in 0..<shape.leafCount {
                    guard let tokens = shape.range(of: leaf..<(leaf + 1)) else { continue }
                    #expect(tokens.start == start)
                    #expect(shape.leaf(of: tokens.start + 1) == leaf && shape.leaf(of: tokens.end) == leaf)
                    start = tokens.end
                }
                #expect(start == range.end, "\(range) \(levels)")
            }
        }
    }

    @Test func `the leaves of a node are those of its children`() {
        let shape = DigestShape(range: .ring, levels: 3)
        for node in [0, 7, 255] {
            let children = (0..<DigestShape.fanOut).map {
                shape.leaves(depth: 3, index: node * DigestShape.fanOut + $0)
            }
            let leaves = shape.leaves(depth: 2, index: node)
            #expect(children.first?.lowerBound == leaves.lowerBound && children.last?.upperBound == leaves.upperBound)
        }
        #expect(shape.leaves(depth: 0, index: 0) == 0..<4_096)
    }
}

struct LivesSketchTests {
    @Test(arguments: [0, 1, 10, 100, 127, 128, 3_600, 86_400] as [Int64])
    func `ends agree within the tolerance and not beyond it`(_ tolerance: Int64) {
        let width = LivesSketch.width(tolerance: tolerance)
        let lives: [Int64] = [1_900_000_000, 1_900_000_255, 1_900_000_256, 12_345]
        for distance in [-tolerance, tolerance] {
            let sketch = LivesSketch(lives.map { $0 + distance }, width: width, seed: 7)
            #expect(sketch.agrees(with: lives, within: tolerance, width: width, seed: 7))
        }
        // What is further away than any number of so many bytes tells is not found by them, and the digest says so.
        for far in [tolerance + 1, -tolerance - 1, 256, 65_536, 1 << 24, 1 << 33] where abs(far) > tolerance {
            var others = lives
            others[2] += far
            let sketch = LivesSketch(others, width: width, seed: 7)
            #expect(!sketch.agrees(with: lives, within: tolerance, width: width, seed: 7), "\(far)")
        }
    }

    @Test func `as many ends are wanted as there are`() {
        let sketch = LivesSketch([5, 6], width: 1, seed: 0)
        #expect(!sketch.agrees(with: [5], within: 10, width: 1, seed: 0))
        #expect(!sketch.agrees(with: [5, 6, 7], within: 10, width: 1, seed: 0))
    }

    @Test func `one byte is enough for the tolerance that is the default`() {
        #expect(LivesSketch.width(tolerance: 10) == 1)
    }
}
