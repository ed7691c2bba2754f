/// How a record lies in a segment. Little-endian; a record begins at a multiple of 8.
///
/// | bytes | |
/// |---|---|
/// | 0 | state |
/// | 1 | state, inverted: a damaged state is known as such |
/// | 2–3 | marker, made of the segment's number: stale bytes of a reused file are told apart quickly |
/// | 4–7 | checksum of what follows, padding excluded |
/// | 8–11 | bytes of payload |
/// | 12 | kind |
/// | 13 | class: record or definition |
/// | 14–15 | flags |
/// | 16–23 | sequence |
/// | 24–31 | time, milliseconds since 1970 |
/// | 32… | payload, then up to 7 bytes without meaning |
enum RecordLayout {
    static var headerBytes: Int { 32 }
    static var alignment: Int { 8 }
    /// Where the bytes begin that the checksum covers.
    static var coveredOffset: Int { 8 }

    /// The bytes that a record with so much payload takes.
    @inline(__always)
    static func size(payload: Int) -> Int { (self.headerBytes + payload + self.alignment - 1) & ~(self.alignment - 1) }

    /// The state and its inverse in one half-word, so that one store changes both.
    @inline(__always)
    static func stateWord(_ state: JournalState) -> UInt16 {
        UInt16(state.rawValue) | UInt16(~state.rawValue) << 8
    }

    @inline(__always)
    static func state(ofWord word: UInt16) -> JournalState {
        let state = UInt8(truncatingIfNeeded: word)
        return UInt8(truncatingIfNeeded: word >> 8) == ~state ? JournalState(rawValue: state) : .damaged
    }

    /// Never zero, so that a segment's untouched end holds no marker.
    static func marker(ofSegment number: UInt64) -> UInt16 {
        UInt16(truncatingIfNeeded: (number &* 0x9E37_79B9_7F4A_7C15) >> 48) | 1
    }
}
