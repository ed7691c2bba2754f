import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// The time of one loop, read from the system once for each burst of frames.
///
/// Whatever a read brought had come by the moment at which the clock is held, just after it: for all frames of the burst that is
/// their time of arrival. Outside of bursts each look reads the system's clocks. Bound to its loop.
struct LoopClock {
    private var isHeld = false
    private var heldNanoseconds: Int64 = 0
    private var heldWallMicroseconds: Int64 = 0

    /// A burst begins.
    mutating func hold() {
        self.heldNanoseconds = Self.nanoseconds
        self.heldWallMicroseconds = Self.wallMicroseconds
        self.isHeld = true
    }

    /// A burst is over.
    mutating func letGo() { self.isHeld = false }

    /// The moment in nanoseconds of NIO's clock.
    @inline(__always)
    var nanoseconds: Int64 { self.isHeld ? self.heldNanoseconds : Self.nanoseconds }

    /// Microseconds since 1970.
    @inline(__always)
    var wallMicroseconds: Int64 { self.isHeld ? self.heldWallMicroseconds : Self.wallMicroseconds }

    /// The system's own clock, for what lasts longer than a burst should.
    static var nanoseconds: Int64 { Int64(NIODeadline.now().uptimeNanoseconds) }

    /// Microseconds since 1970, by the system's own clock.
    static var wallMicroseconds: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1_000
    }
}
