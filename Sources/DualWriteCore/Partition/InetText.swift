/// Internet addresses in strings. Names are not looked up: whose name server would be asked is not known.
enum InetText {
    /// The 4 or 16 bytes of an address; nil for an IPv4 address that is written as an IPv6 one, which has 4 bytes for Java and 16
    /// for others.
    static func bytes(_ text: String) -> [UInt8]? {
        if let address = Self.version4(text[...]) { return address }
        guard let address = Self.version6(text) else { return nil }
        let isMapped = address.prefix(10).allSatisfy { $0 == 0 } && address[10] == 0xff && address[11] == 0xff
        return isMapped ? nil : address
    }

    /// Four numbers without leading zeros, which some read as octal.
    private static func version4(_ text: Substring) -> [UInt8]? {
        let parts = text.split(separator: ".", omittingEmptySubsequences: false)
        guard parts.count == 4 else { return nil }
        var bytes: [UInt8] = []
        for part in parts {
            guard part.utf8.allSatisfy(\.isDigit), part == "0" || part.first != "0", let byte = UInt8(part) else {
                return nil
            }
            bytes.append(byte)
        }
        return bytes
    }

    private static func version6(_ text: String) -> [UInt8]? {
        guard let gap = text.firstRange(of: "::") else {
            let bytes = Self.groups(text[...])
            return bytes?.count == 16 ? bytes : nil
        }
        guard let head = Self.groups(text[..<gap.lowerBound]), let tail = Self.groups(text[gap.upperBound...]),
            head.count + tail.count <= 14
        else { return nil }
        return head + [UInt8](repeating: 0, count: 16 - head.count - tail.count) + tail
    }

    /// Groups of up to four digits; the last may be an IPv4 address.
    private static func groups(_ text: Substring) -> [UInt8]? {
        guard !text.isEmpty else { return [] }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        var bytes: [UInt8] = []
        for (index, part) in parts.enumerated() {
            if index == parts.count - 1, part.contains(".") {
                guard let address = Self.version4(part) else { return nil }
                bytes += address
                continue
            }
            guard (1...4).contains(part.utf8.count),
                part.utf8.allSatisfy({ $0.isDigit || $0 | 0x20 >= 0x61 && $0 | 0x20 <= 0x66 }),
                let group = UInt16(part, radix: 16)
            else { return nil }
            bytes += LiteralEncoding.bigEndian(group)
        }
        return bytes
    }
}
