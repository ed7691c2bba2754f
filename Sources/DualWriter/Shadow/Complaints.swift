/// Something that may go wrong a thousand times a second and is said once in a second, with the number of times.
struct Complaints {
    private static var intervalNanoseconds: Int64 { 1_000_000_000 }

    private var last: Int64 = .min
    private var held = 0

    /// Notes one more at a moment in nanoseconds; the number of times where it is time to say it.
    mutating func note(now: Int64) -> Int? {
        self.held += 1
        guard self.last == .min || now - self.last > Self.intervalNanoseconds else { return nil }
        self.last = now
        defer { self.held = 0 }
        return self.held
    }
}
