/// Hexadecimal digits of bytes.
enum Hexadecimal {
    /// Two digits for each byte.
    static func digits(_ bytes: some Sequence<UInt8>) -> String {
        let alphabet = Array("0123456789abcdef".utf8)
        var digits: [UInt8] = []
        for byte in bytes {
            digits.append(alphabet[Int(byte >> 4)])
            digits.append(alphabet[Int(byte & 15)])
        }
        return String(decoding: digits, as: UTF8.self)
    }

    /// A blob literal.
    static func literal(_ bytes: some Sequence<UInt8>) -> String { "0x" + digits(bytes) }

    /// The bytes of an even number of digits.
    static func bytes(_ text: some StringProtocol) -> [UInt8]? {
        let nibbles = text.utf8.compactMap { Character(UnicodeScalar($0)).hexDigitValue }
        guard nibbles.count == text.utf8.count, nibbles.count % 2 == 0 else { return nil }
        return stride(from: 0, to: nibbles.count, by: 2).map { UInt8(nibbles[$0] << 4 | nibbles[$0 + 1]) }
    }
}
