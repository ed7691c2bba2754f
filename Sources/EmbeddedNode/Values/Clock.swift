#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Wall clock and unique ids.
enum Clock {
    /// Microseconds since 1970.
    static var microseconds: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000 + Int64(time.tv_nsec) / 1000
    }

    static func randomUUID() -> Bytes {
        var bytes = UInt64.random(in: .min ... .max).bytes + UInt64.random(in: .min ... .max).bytes
        bytes[6] = bytes[6] & 0x0f | 0x40
        bytes[8] = bytes[8] & 0x3f | 0x80
        return bytes
    }

    /// A version 1 UUID of a count of 100 ns since 1970.
    static func timeUUID(ticks: Int64) -> Bytes {
        let value = UInt64(bitPattern: ticks &+ 0x01b2_1dd2_1381_4000)
        var bytes = UInt32(truncatingIfNeeded: value).bytes
        bytes += UInt16(truncatingIfNeeded: value >> 32).bytes
        bytes += (UInt16(truncatingIfNeeded: value >> 48) & 0x0fff | 0x1000).bytes
        bytes += (UInt64.random(in: .min ... .max) & 0x3fff_ffff_ffff_ffff | 0x8000_0000_0000_0000).bytes
        return bytes
    }

    /// Milliseconds since 1970 of a version 1 UUID.
    static func milliseconds(of uuid: Bytes) -> Int64 {
        guard uuid.count == 16 else { return 0 }
        let high = Bytes([uuid[6] & 0x0f, uuid[7], uuid[4], uuid[5], uuid[0], uuid[1], uuid[2], uuid[3]]).int64
        return (high &- 0x01b2_1dd2_1381_4000) / 10_000
    }

    /// Days since 1970 of a date of the Gregorian calendar.
    static func days(year: Int64, month: Int64, day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = (year >= 0 ? year : year - 399) / 400
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }
}
