import CQLProtocol
import DualWriteCore

/// Where the parts of a QUERY's or EXECUTE's body lie (native protocol v4 §4.1.4, §4.1.6), found in one bounds-checked walk
/// that copies nothing.
///
/// A body that does not walk to its last byte is malformed. It is refused here, because sent on it could cost the upstream
/// connection that other clients share.
struct RequestLayout {
    /// Flags of the query parameters.
    struct Flags: OptionSet {
        var rawValue: UInt8
        static var values: Self { .init(rawValue: 0x01) }
        static var skipMetadata: Self { .init(rawValue: 0x02) }
        static var pageSize: Self { .init(rawValue: 0x04) }
        static var pagingState: Self { .init(rawValue: 0x08) }
        static var serialConsistency: Self { .init(rawValue: 0x10) }
        static var defaultTimestamp: Self { .init(rawValue: 0x20) }
        static var namedValues: Self { .init(rawValue: 0x40) }
        static var all: Self { .init(rawValue: 0x7f) }
    }

    /// The statement's text, or the prepared id.
    var subject: Range<Int>
    var consistency: Consistency
    var flagsOffset: Int
    var flags: Flags
    var pagingState: Range<Int>?

    /// The layout of a QUERY body, or nil where it is malformed.
    init?(query bytes: UnsafeRawBufferPointer) {
        var cursor = ByteCursor(bytes)
        guard let length = cursor.int32(), length >= 0, let subject = cursor.take(Int(length)) else { return nil }
        self.init(subject: subject, cursor: &cursor)
    }

    /// The layout of an EXECUTE body, or nil where it is malformed.
    init?(execute bytes: UnsafeRawBufferPointer) {
        var cursor = ByteCursor(bytes)
        guard let length = cursor.uint16(), let subject = cursor.take(Int(length)) else { return nil }
        self.init(subject: subject, cursor: &cursor)
    }

    /// Takes back a client's wish for rows without metadata, in a walked EXECUTE body that begins with an id of the proxy's own.
    static func describeRows(_ body: UnsafeMutableRawBufferPointer) {
        let flagsOffset = 2 + StatementID.byteCount + 2
        body[flagsOffset] &= ~Flags.skipMetadata.rawValue
    }

    private init?(subject: Range<Int>, cursor: inout ByteCursor) {
        guard let consistency = cursor.uint16() else { return nil }
        self.subject = subject
        self.consistency = Consistency(rawValue: consistency)
        self.flagsOffset = cursor.offset
        guard let raw = cursor.uint8() else { return nil }
        self.flags = Flags(rawValue: raw)
        guard self.flags.isSubset(of: .all) else { return nil }
        if self.flags.contains(.values) {
            guard let count = cursor.uint16() else { return nil }
            let isNamed = self.flags.contains(.namedValues)
            for _ in 0..<count {
                if isNamed {
                    guard let length = cursor.uint16(), cursor.take(Int(length)) != nil else { return nil }
                }
                guard cursor.takeValue() else { return nil }
            }
        }
        if self.flags.contains(.pageSize), cursor.int32() == nil { return nil }
        if self.flags.contains(.pagingState) {
            guard let length = cursor.int32() else { return nil }
            if length >= 0 {
                guard let range = cursor.take(Int(length)) else { return nil }
                self.pagingState = range
            }
        }
        if self.flags.contains(.serialConsistency), cursor.uint16() == nil { return nil }
        if self.flags.contains(.defaultTimestamp), cursor.take(8) == nil { return nil }
        guard cursor.isAtEnd else { return nil }
    }
}
