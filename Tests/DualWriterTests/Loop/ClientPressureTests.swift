import Testing

@testable import DualWriter

struct ClientPressureTests {
    @Test func `reading rests above the limit and begins again at half of it`() {
        var pressure = ClientPressure(bytesMax: 100)
        pressure.took(60)
        pressure.took(40)
        #expect(!pressure.isHigh)
        pressure.took(1)
        #expect(pressure.isHigh)
        let after40 = pressure.letGo(of: 40)
        #expect(!after40)
        #expect(pressure.isHigh)
        let after11 = pressure.letGo(of: 11)
        #expect(after11)
        #expect(!pressure.isHigh)
        let after50 = pressure.letGo(of: 50)
        #expect(!after50)
    }

    @Test func `one request longer than the limit rests until it is answered`() {
        var pressure = ClientPressure(bytesMax: 100)
        pressure.took(1_000)
        #expect(pressure.isHigh)
        let after1_000 = pressure.letGo(of: 1_000)
        #expect(after1_000)
    }
}
