import CQLProtocol
import CQLSyntax

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// Constants of a statement as bytes of a column's type.
extension ValueType {
    func encode(_ literal: Literal, for name: String) throws -> Bytes {
        try self.encode(kind: literal.kind, text: literal.text, for: name)
    }

    func encode(kind: Literal.Kind, text: String, for name: String) throws -> Bytes {
        var bytes: Bytes?
        if case .native(let native) = self.thawed {
            bytes = Self.textual(native, kind, text) ?? Self.numeric(native, kind, text)
        }
        guard let bytes else {
            throw NodeError.invalid(
                "Invalid \(Self.kindName(kind)) constant (\(text)) for \"\(name)\" of type \(self.description)"
            )
        }
        return bytes
    }

    private static func numeric(_ native: String, _ kind: Literal.Kind, _ text: String) -> Bytes? {
        switch (native, kind) {
        case ("int", .integer): Int32(text)?.bytes
        case ("bigint", .integer), ("counter", .integer), ("timestamp", .integer), ("time", .integer):
            Int64(text)?.bytes
        case ("smallint", .integer): Int16(text)?.bytes
        case ("tinyint", .integer): Int8(text)?.bytes
        case ("date", .integer): UInt32(text)?.bytes
        case ("varint", .integer): Varint(decimal: text)?.bytes
        case ("double", .integer), ("double", .float): Double(text).map { $0.bitPattern.bytes }
        case ("float", .integer), ("float", .float): Float(text).map { $0.bitPattern.bytes }
        case ("decimal", .integer), ("decimal", .float): self.decimal(text)
        default: nil
        }
    }

    private static func textual(_ native: String, _ kind: Literal.Kind, _ text: String) -> Bytes? {
        switch (native, kind) {
        case ("text", .string): Bytes(text.utf8)
        case ("ascii", .string): text.utf8.allSatisfy { $0 < 0x80 } ? Bytes(text.utf8) : nil
        case ("blob", .blob): self.hex(text.dropFirst(2))
        case ("boolean", .boolean): [text.lowercased() == "true" ? 1 : 0]
        case ("uuid", .uuid): self.uuid(text)
        case ("timeuuid", .uuid): self.uuid(text).flatMap { $0[6] >> 4 == 1 ? $0 : nil }
        case ("inet", .string): self.inet(text)
        case ("timestamp", .string): self.timestamp(text)?.bytes
        case ("date", .string): self.date(Substring(text)).map { UInt32(truncatingIfNeeded: $0 + (1 << 31)).bytes }
        case ("time", .string): self.time(Substring(text))?.bytes
        case ("duration", .duration): DurationText.bytes(text)
        default: nil
        }
    }

    private static func uuid(_ text: String) -> Bytes? {
        guard text.utf8.count == 36 else { return nil }
        return self.hex(Substring(text.filter { $0 != "-" })).flatMap { $0.count == 16 ? $0 : nil }
    }

    private static func kindName(_ kind: Literal.Kind) -> String {
        switch kind {
        case .string: "STRING"
        case .integer: "INTEGER"
        case .float: "FLOAT"
        case .boolean: "BOOLEAN"
        case .uuid: "UUID"
        case .blob: "HEX"
        case .duration: "DURATION"
        }
    }

    static func hex(_ text: Substring) -> Bytes? {
        let digits = Array(text.utf8)
        guard digits.count % 2 == 0 else { return nil }
        var bytes = Bytes()
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let byte = UInt8(String(decoding: digits[index...index + 1], as: UTF8.self), radix: 16) else {
                return nil
            }
            bytes.append(byte)
        }
        return bytes
    }

    private static func decimal(_ text: String) -> Bytes? {
        let parts = text.lowercased().split(separator: "e", maxSplits: 1)
        guard let mantissa = parts.first else { return nil }
        let exponent = parts.count > 1 ? Int32(parts[1]) : 0
        let pieces = mantissa.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        let fraction = pieces.count > 1 ? pieces[1] : ""
        guard let exponent, let unscaled = Varint(decimal: String(pieces[0]) + fraction) else { return nil }
        let (scale, overflow) = Int32(fraction.utf8.count).subtractingReportingOverflow(exponent)
        return overflow ? nil : scale.bytes + unscaled.bytes
    }

    static func inet(_ text: String) -> Bytes? {
        var bytes = Bytes(repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &bytes) == 1 { return Bytes(bytes[..<4]) }
        return inet_pton(AF_INET6, text, &bytes) == 1 ? bytes : nil
    }

    private static func date(_ text: Substring) -> Int64? {
        let parts = text.split(separator: "-").map { Int64($0) }
        guard parts.count == 3, let year = parts[0], let month = parts[1], let day = parts[2] else { return nil }
        return Clock.days(year: year, month: month, day: day)
    }

    /// Nanoseconds of `hh:mm[:ss[.f]]`.
    private static func time(_ text: Substring) -> Int64? {
        let parts = text.split(separator: ":")
        guard parts.count >= 2, let hours = Int64(parts[0]), let minutes = Int64(parts[1]) else { return nil }
        var nanoseconds: Int64 = 0
        if parts.count > 2 {
            let pieces = parts[2].split(separator: ".")
            guard let seconds = pieces.first.flatMap({ Int64($0) }) else { return nil }
            nanoseconds = seconds * 1_000_000_000
            if pieces.count > 1 {
                let padded = (String(pieces[1]) + "000000000").prefix(9)
                guard let fraction = Int64(padded) else { return nil }
                nanoseconds += fraction
            }
        }
        return (hours * 3600 + minutes * 60) * 1_000_000_000 + nanoseconds
    }

    private static func timestamp(_ text: String) -> Int64? {
        if let number = Int64(text) { return number }
        guard text.utf8.count >= 10, let days = self.date(text.prefix(10)) else { return nil }
        var rest = text.dropFirst(11)
        var offset: Int64 = 0
        if rest.hasSuffix("Z") {
            rest = rest.dropLast()
        } else if let sign = rest.lastIndex(where: { $0 == "+" || $0 == "-" }) {
            let digits = rest[rest.index(after: sign)...].filter { $0 != ":" }
            guard let zone = Int64(digits) else { return nil }
            let minutes = digits.count > 2 ? zone / 100 * 60 + zone % 100 : zone * 60
            offset = rest[sign] == "-" ? -minutes : minutes
            rest = rest[..<sign]
        }
        let time = rest.isEmpty ? 0 : self.time(rest)
        return time.map { days * 86_400_000 + $0 / 1_000_000 - offset * 60_000 }
    }
}
