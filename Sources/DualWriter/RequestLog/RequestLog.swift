/// Chooses the requests of one loop that are logged, and sees to it that they are not too many.
struct RequestLog {
    private static var secondNanoseconds: Int64 { 1_000_000_000 }

    var settings: RequestLogSettings {
        didSet { self.isOn = self.settings.isOn }
    }
    /// Whether a request must be looked at.
    private(set) var isOn: Bool
    /// Loops of the process, which share its lines.
    private let loops: Int
    private var requests: Int
    private var logged: UInt64 = 0
    private var lines = 0
    private var heldBack = 0
    private var secondBegan: Int64 = .min

    /// - Parameter index: the loop's own number: not all of them choose at the same time.
    init(_ settings: RequestLogSettings, loops: Int = 1, index: Int = 0) {
        self.settings = settings
        self.isOn = settings.isOn
        self.loops = max(1, loops)
        self.requests = index
    }

    /// Whether the next request is logged, whatever becomes of it.
    ///
    /// - Parameter context: the trace that it belongs to.
    mutating func chooses(_ context: TraceContext?) -> Bool {
        self.requests &+= 1
        if self.settings.oneIn > 0, self.requests >= self.settings.oneIn {
            self.requests = 0
            return true
        }
        return self.settings.traced && context?.isSampled == true
    }

    /// Whether a request is logged because its answer took so long.
    func isSlow(nanoseconds: Int64) -> Bool {
        let limit = Int64(self.settings.slowerThanMilliseconds) * 1_000_000
        return limit > 0 && nanoseconds >= limit
    }

    /// Takes a line of this second, of which each loop has one at least.
    ///
    /// - Returns: how many were held back since the last one, or nil where this one is, too.
    mutating func takeLine(now: Int64) -> Int? {
        if self.secondBegan == .min || now - self.secondBegan >= Self.secondNanoseconds {
            self.secondBegan = now
            self.lines = 0
        }
        guard self.lines < max(1, self.settings.linesPerSecond / self.loops) else {
            self.heldBack += 1
            return nil
        }
        self.lines += 1
        defer { self.heldBack = 0 }
        return self.heldBack
    }

    /// The number of a request that is logged, from 1.
    mutating func nextID() -> UInt64 {
        self.logged += 1
        return self.logged
    }
}
