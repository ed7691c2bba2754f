import CQLClient
import Testing

struct ClockReadingTests {
    @Test func `the truth is within the time that the answer took`() {
        let reading = ClockReading(asked: 1_000, server: 1_500, answered: 1_040)
        // At the server it was 1,500 to 1,501 at some moment between 1,000 and 1,040.
        #expect(reading.aheadMin == 459)
        #expect(reading.aheadMax == 501)
        #expect(reading.ahead == 480)
        #expect(reading.uncertainty == 21)
        #expect(reading.apartMin == 459)
        #expect(ClockReading(asked: 1_000, server: 1_020, answered: 1_040).apartMin == 0)
    }

    @Test func `several readings leave what all of them allow`() {
        let wide = ClockReading(asked: 0, server: 100, answered: 100)
        let narrow = ClockReading(asked: 0, server: 60, answered: 10)
        #expect(wide.narrowed(by: narrow) == ClockReading(asked: 0, server: 60, answered: 10))
        // The clock was set in between: the narrower one is believed.
        let later = ClockReading(asked: 1_000, server: 9_000, answered: 1_010)
        #expect(wide.narrowed(by: later) == later)
    }

    @Test func `clocks of two clusters are apart by what no answer's time explains`() {
        let one = ClockReading(asked: 0, server: 5_000, answered: 10)
        let other = ClockReading(asked: 0, server: 1_000, answered: 10)
        // Between 4990 and 5001, and between 990 and 1001.
        #expect(one.apartMin(from: other) == 3_988)
        #expect(other.apartMin(from: one) == 3_988)
        #expect(one.apartMin(from: one) == 0)
    }
}
