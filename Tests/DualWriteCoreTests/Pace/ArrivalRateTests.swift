import DualWriteCore
import Testing

struct ArrivalRateTests {
    private static let second: Int64 = 1_000_000_000

    @Test func `it is what comes in a second`() {
        var rate = ArrivalRate()
        #expect(rate.perSecond == 0)
        for tenth in 0...30 { rate.follow(UInt64(tenth) * 200, now: Int64(tenth) * Self.second / 10) }
        #expect((1_800...2_000).contains(rate.perSecond))
    }

    @Test func `it follows within some seconds, and a look too soon changes nothing`() {
        var rate = ArrivalRate()
        rate.follow(0, now: 0)
        rate.follow(5_000, now: Self.second)
        #expect(rate.perSecond == 5_000)
        rate.follow(6_000, now: Self.second + Self.second / 100)
        #expect(rate.perSecond == 5_000)
        for tenth in 1...50 { rate.follow(6_000, now: Self.second + Int64(tenth) * Self.second / 10) }
        #expect(rate.perSecond < 100)
    }

    @Test func `a long rest is a rate, too`() {
        var rate = ArrivalRate()
        rate.follow(0, now: 0)
        rate.follow(1_000, now: Self.second)
        rate.follow(1_060, now: 61 * Self.second)
        #expect(rate.perSecond == 1)
    }
}
