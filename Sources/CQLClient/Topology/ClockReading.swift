#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// How far a cluster's clock is from this machine's: the truth lies between two numbers, as an answer takes its time.
public struct ClockReading: Sendable, Hashable {
    /// The least that the cluster's clock can be ahead, in milliseconds; below 0 it is behind.
    public var aheadMin: Int64
    /// The most.
    public var aheadMax: Int64

    /// Of one question and its answer, all in milliseconds since 1970.
    ///
    /// - Parameter server: cut to whole milliseconds by the server.
    public init(asked: Int64, server: Int64, answered: Int64) {
        self.aheadMin = server - answered - 1
        self.aheadMax = server + 1 - asked
    }

    /// What several readings leave; the narrower one where they contradict each other, as a clock may have been set.
    public func narrowed(by other: ClockReading) -> ClockReading {
        var both = self
        both.aheadMin = max(self.aheadMin, other.aheadMin)
        both.aheadMax = min(self.aheadMax, other.aheadMax)
        guard both.aheadMin > both.aheadMax else { return both }
        return other.aheadMax - other.aheadMin < self.aheadMax - self.aheadMin ? other : self
    }

    /// The middle.
    public var ahead: Int64 { (self.aheadMin + self.aheadMax) / 2 }
    /// How far the truth may be from the middle.
    public var uncertainty: Int64 { (self.aheadMax - self.aheadMin + 1) / 2 }
    /// How far the cluster's clock and this machine's are apart at least.
    public var apartMin: Int64 { self.aheadMin > 0 ? self.aheadMin : max(0, -self.aheadMax) }

    /// How far the clocks of two clusters are apart at least.
    public func apartMin(from other: ClockReading) -> Int64 {
        max(0, self.aheadMin - other.aheadMax, other.aheadMin - self.aheadMax)
    }
}

extension ClockReading {
    /// What a server is asked for its time, to whole milliseconds.
    static var statement: String { "SELECT toTimestamp(now()) FROM system.local" }

    /// This machine's time in milliseconds since 1970.
    static var milliseconds: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000 + Int64(time.tv_nsec) / 1_000_000
    }
}
