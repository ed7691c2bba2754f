/// Checks contact points before the first connection.
enum HostText {
    /// What is wrong with `text` as `name`, `name:port`, `1.2.3.4:port`, `::1` or `[::1]:port`; nil where nothing is.
    static func fault(in text: String) -> String? {
        guard text.utf8.count <= 253 + 6 else { return "is longer than a host name can be" }
        guard !text.contains(where: { $0.isWhitespace || "/@?#'\"".contains($0) }) else {
            return "is not a host: it must be a name or an address, with an optional port"
        }
        if text.hasPrefix("[") {
            guard let end = text.firstIndex(of: "]") else { return "has no closing bracket" }
            let rest = text[text.index(after: end)...]
            guard rest.isEmpty || (rest.hasPrefix(":") && self.isPort(rest.dropFirst())) else {
                return "has no valid port"
            }
            return nil
        }
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        switch parts.count {
        case 1: return nil
        case 2:
            guard !parts[0].isEmpty else { return "has no name before its port" }
            return self.isPort(parts[1]) ? nil : "has no valid port; ports are 1 to 65535"
        default: return nil
        }
    }

    private static func isPort(_ text: Substring) -> Bool { Int(text).map { (1...65_535).contains($0) } ?? false }
}
