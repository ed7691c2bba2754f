import CQLProtocol
import CQLSyntax

/// Constants of a text as the bytes that a server makes of them.
///
/// Only what all servers read alike: where versions, time zones or name servers come in, nobody here can say what the bytes are.
enum LiteralEncoding {
    /// The bytes of a constant in a column of a type; nil where they cannot be told, or where a server refuses the constant.
    static func bytes(of literal: Literal, as type: String) -> [UInt8]? {
        guard let native = NativeType(type) else { return nil }
        return switch literal.kind {
        case .string: Self.string(literal.text, native)
        case .integer: Self.integer(literal.text, native)
        case .float: Self.float(literal.text, native)
        case .boolean: native == .boolean ? [literal.text.lowercased() == "true" ? 1 : 0] : nil
        case .uuid: Self.uuid(literal.text, native)
        case .blob: native == .blob ? Self.hexadecimal(literal.text.utf8.dropFirst(2)) : nil
        case .duration: nil
        }
    }

    /// The bytes of a value that is written without quotes, whatever its type is; nil where it is no text, whole number or uuid.
    static func bytes(ofValue text: String, as type: String) -> [UInt8]? {
        NativeType(type).flatMap { Self.bytes(ofValue: text, as: $0) }
    }

    /// The same for a type that is known.
    static func bytes(ofValue text: String, as native: NativeType) -> [UInt8]? {
        switch native {
        case .text, .ascii: Self.string(text, native)
        case .tinyint, .smallint, .int, .bigint, .varint: Self.integer(text, native)
        case .uuid, .timeuuid: Self.uuid(text, native)
        case .blob, .boolean, .date, .decimal, .double, .float, .inet, .time, .timestamp: nil
        }
    }

    private static func string(_ text: String, _ type: NativeType) -> [UInt8]? {
        switch type {
        case .text: Array(text.utf8)
        case .ascii: text.utf8.allSatisfy { $0 < 0x80 } ? Array(text.utf8) : nil
        case .inet: InetText.bytes(text)
        case .timestamp:
            Self.isInteger(text) ? Self.integer(text, type) : TimeText.timestamp(text).map { Self.bigEndian($0) }
        case .date: Self.isInteger(text) ? Self.integer(text, type) : TimeText.date(text).map { Self.bigEndian($0) }
        case .time: Self.isInteger(text) ? Self.integer(text, type) : TimeText.time(text).map { Self.bigEndian($0) }
        default: nil
        }
    }

    private static func isInteger(_ text: String) -> Bool {
        let digits = text.utf8.drop { $0 == UInt8(ascii: "-") }
        return text.utf8.count - digits.count <= 1 && !digits.isEmpty && digits.allSatisfy(\.isDigit)
    }

    private static func integer(_ text: String, _ type: NativeType) -> [UInt8]? {
        switch type {
        case .int: Int32(text).map { Self.bigEndian($0) }
        case .bigint, .timestamp: Int64(text).map { Self.bigEndian($0) }
        case .smallint: Int16(text).map { Self.bigEndian($0) }
        case .tinyint: Int8(text).map { Self.bigEndian($0) }
        // Days, with 2^31 for 1970-01-01.
        case .date: UInt32(text).map { Self.bigEndian($0) }
        case .time: Int64(text).flatMap { TimeText.nanosecondsOfDay.contains($0) ? Self.bigEndian($0) : nil }
        case .varint: Varint(decimal: text)?.bytes
        case .decimal, .double, .float: Self.float(text, type)
        default: nil
        }
    }

    private static func float(_ text: String, _ type: NativeType) -> [UInt8]? {
        switch type {
        case .double: Self.canonical(text, Double.self).map { Self.bigEndian($0.bitPattern) }
        case .float: Self.canonical(text, Float.self).map { Self.bigEndian($0.bitPattern) }
        case .decimal: Self.decimal(text)
        default: nil
        }
    }

    /// A number as Java reads it, in which there is only one that is none.
    private static func canonical<Number: BinaryFloatingPoint & LosslessStringConvertible>(
        _ text: String,
        _ type: Number.Type
    ) -> Number? {
        let lowered = text.lowercased()
        if lowered.hasSuffix("nan") { return .nan }
        if lowered.hasSuffix("infinity") { return lowered.hasPrefix("-") ? -Number.infinity : .infinity }
        return Number(text)
    }

    /// `unscaled` × 10^-`scale`: the digits as written, zeros at their end included, which make another key.
    private static func decimal(_ text: String) -> [UInt8]? {
        let parts = text.lowercased().split(separator: "e", maxSplits: 1, omittingEmptySubsequences: false)
        guard let exponent = parts.count > 1 ? Int32(parts[1]) : 0 else { return nil }
        let pieces = parts[0].split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let fraction = pieces.count > 1 ? pieces[1] : ""
        let (scale, overflow) = Int32(fraction.utf8.count).subtractingReportingOverflow(exponent)
        guard !overflow, let unscaled = Varint(decimal: String(pieces[0]) + fraction) else { return nil }
        return Self.bigEndian(scale) + unscaled.bytes
    }

    private static func uuid(_ text: String, _ type: NativeType) -> [UInt8]? {
        let hyphens = [8, 13, 18, 23]
        let characters = Array(text.utf8)
        guard characters.count == 36, hyphens.allSatisfy({ characters[$0] == UInt8(ascii: "-") }),
            let bytes = Self.hexadecimal(characters.filter { $0 != UInt8(ascii: "-") }), bytes.count == 16
        else { return nil }
        return switch type {
        case .uuid: bytes
        case .timeuuid: bytes[6] >> 4 == 1 ? bytes : nil
        default: nil
        }
    }

    private static func hexadecimal(_ digits: some Collection<UInt8>) -> [UInt8]? {
        let nibbles = digits.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        guard nibbles.count == digits.count, nibbles.count.isMultiple(of: 2) else { return nil }
        return stride(from: 0, to: nibbles.count, by: 2).map { UInt8(nibbles[$0] << 4 | nibbles[$0 + 1]) }
    }

    static func bigEndian(_ number: some FixedWidthInteger) -> [UInt8] {
        withUnsafeBytes(of: number.bigEndian) { Array($0) }
    }
}

extension UInt8 {
    var isDigit: Bool { self >= UInt8(ascii: "0") && self <= UInt8(ascii: "9") }
}
