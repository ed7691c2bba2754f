/// The names of the files of a log.
enum SegmentName: Equatable {
    /// Holds records.
    case segment(UInt64)
    /// Was a segment, and waits to be one again.
    case spare(UInt64)
    /// Was a segment that nothing could be read from; kept for whoever wants to look.
    case damaged

    private static let segmentPrefix = "segment-"
    private static let sparePrefix = "spare-"
    private static let suffix = ".log"
    static let damagedSuffix = ".damaged"
    private static let digits = 10

    /// Nil for a name that is not of ours.
    init?(_ name: String) {
        if name.hasPrefix(Self.segmentPrefix), name.hasSuffix(Self.damagedSuffix) {
            self = .damaged
        } else if let number = Self.number(in: name, after: Self.segmentPrefix) {
            self = .segment(number)
        } else if let number = Self.number(in: name, after: Self.sparePrefix) {
            self = .spare(number)
        } else {
            return nil
        }
    }

    static func ofSegment(_ number: UInt64) -> String { self.segmentPrefix + self.padded(number) + self.suffix }
    static func ofSpare(_ number: UInt64) -> String { self.sparePrefix + self.padded(number) + self.suffix }

    private static func padded(_ number: UInt64) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, self.digits - text.count)) + text
    }

    private static func number(in name: String, after prefix: String) -> UInt64? {
        guard name.hasPrefix(prefix), name.hasSuffix(self.suffix) else { return nil }
        let text = name.dropFirst(prefix.count).dropLast(self.suffix.count)
        guard text.count == self.digits, text.allSatisfy({ $0.isASCII && $0.isNumber }) else { return nil }
        return UInt64(text).flatMap { $0 <= JournalLimits.segmentNumberMax ? $0 : nil }
    }
}
