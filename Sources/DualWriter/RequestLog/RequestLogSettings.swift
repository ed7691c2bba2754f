/// Which requests are logged, each under an id of its own. Off unless somebody asks.
public struct RequestLogSettings: Sendable, Equatable {
    /// One of so many requests is logged, whatever becomes of it; 0 for none.
    public var oneIn: Int
    /// Requests whose answer takes at least so many milliseconds are logged; 0 for none.
    public var slowerThanMilliseconds: Int
    /// Whether requests are logged whose custom payload says that their trace is recorded (``TraceContext``).
    public var traced: Bool
    /// Lines in a second, of the whole process; what comes above that is counted.
    public var linesPerSecond: Int

    /// What ``oneIn`` may be.
    public static var oneInRange: ClosedRange<Int> { 0...1_000_000_000 }
    /// What ``slowerThanMilliseconds`` may be.
    public static var slowerThanRange: ClosedRange<Int> { 0...600_000 }
    /// What ``linesPerSecond`` may be.
    public static var linesRange: ClosedRange<Int> { 1...10_000 }

    /// Creates settings.
    public init(oneIn: Int = 0, slowerThanMilliseconds: Int = 0, traced: Bool = false, linesPerSecond: Int = 100) {
        self.oneIn = oneIn
        self.slowerThanMilliseconds = slowerThanMilliseconds
        self.traced = traced
        self.linesPerSecond = linesPerSecond
    }

    /// Whether anything is logged at all.
    public var isOn: Bool { self.oneIn > 0 || self.slowerThanMilliseconds > 0 || self.traced }
}
