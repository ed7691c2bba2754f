import Operations

/// The keys of one service, and those of older files that have no meaning for it.
struct ConfigurationSchema: Sendable {
    /// A key, or a section with everything below it, that is refused by name.
    struct Refusal: Sendable {
        /// The path in the YAML file.
        let path: String
        /// What to do instead.
        let advice: String
    }

    /// The command of the service.
    let service: String
    /// Every key, in the order of the documentation.
    let keys: [ConfigurationKey]
    /// What is refused by name.
    var refusals: [Refusal] = []

    /// Those of all services.
    static let all = [sidecar, loader, reader]

    /// The key with this path or alias.
    func key(named path: String) -> ConfigurationKey? {
        self.keys.first { $0.path == path || $0.aliases.contains(path) }
    }

    /// Whether keys, or such as are refused one by one, lie below `path`.
    func isSection(_ path: String) -> Bool {
        self.names.contains { $0.hasPrefix(path + ".") } || self.refusals.contains { $0.path.hasPrefix(path + ".") }
    }

    /// The first keys below a section, for people.
    func examples(below path: String) -> String {
        let below = self.names.filter { $0.hasPrefix(path + ".") }
        return below.prefix(3).joined(separator: ", ") + (below.count > 3 ? ", …" : "")
    }

    /// What to say of a path that is no key.
    func unknown(_ path: String) -> String {
        if let refusal = self.refusals.first(where: { path == $0.path || path.hasPrefix($0.path + ".") }) {
            return "\(path) has no meaning for \(self.service): \(refusal.advice)"
        }
        return Nearest.unknown("key", path, among: self.names)
    }

    /// Every path and alias, for suggestions.
    private var names: [String] { self.keys.flatMap { [$0.path] + $0.aliases } }
}
