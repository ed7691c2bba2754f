import CQLClient
import CQLProtocol
import DualWriteCore
import Operations

/// Reads keys one after the other and gathers what is wrong. A value that is wrong is read as the key's default, so that
/// the rest can still be checked.
struct ConfigurationValues {
    private let layers: ConfigurationLayers
    private let readFile: (String) -> String?
    private(set) var faults: [ConfigurationFault]

    init(layers: ConfigurationLayers, readFile: @escaping (String) -> String?) {
        self.layers = layers
        self.readFile = readFile
        self.faults = layers.faults
    }

    private func key(_ path: String) -> ConfigurationKey {
        guard let key = self.layers.schema.key(named: path) else {
            preconditionFailure("\(path) is no configuration key")
        }
        return key
    }

    /// Where the value of a key came from; nil for the default.
    func origin(_ path: String) -> String? { self.layers.value(self.key(path))?.origin }

    /// Notes that the value of a key is wrong.
    mutating func fault(_ path: String, _ message: String) {
        let origin = self.origin(path)
        // What is missing may stand in the file that cannot be read, which is a fault by itself.
        if origin == nil, self.layers.isFileUnread { return }
        self.faults.append(.init(origin: origin ?? "default", message: "\(path): \(message)"))
    }

    /// Whether the service has such a key at all.
    func has(_ path: String) -> Bool { self.layers.schema.key(named: path) != nil }

    private func found(_ path: String) -> String? { self.layers.value(self.key(path))?.text }

    /// The value that `parse` makes of the text, or of the default with a fault.
    private mutating func parsed<Value>(_ path: String, _ expected: String, _ parse: (String) -> Value?) -> Value {
        if let text = self.found(path) {
            if let value = parse(text) { return value }
            self.fault(path, "'\(text.prefix(80))' is not \(expected)")
        }
        guard let fallback = self.key(path).fallback, let value = parse(fallback) else {
            preconditionFailure("the default of \(path) is wrong")
        }
        return value
    }

    mutating func text(_ path: String) -> String? {
        guard let text = self.found(path) else { return self.key(path).fallback }
        if text.isEmpty {
            self.fault(path, "must not be empty")
            return self.key(path).fallback
        }
        return text
    }

    /// An address that may be absent.
    mutating func optionalAddress(_ path: String) -> ListenAddress? {
        guard let text = self.found(path) else { return nil }
        // A port alone is an address of the loopback interface; nobody else could use what it says.
        if text.contains(":"), let address = ListenAddress(text), address.port > 0 { return address }
        self.fault(path, "'\(text.prefix(80))' is no address with a port, such as 10.0.0.5:9042 or [fd00::5]:9042")
        return nil
    }

    mutating func address(_ path: String) -> ListenAddress {
        self.parsed(path, "an address such as 127.0.0.1:9042 or [::1]:9042") { ListenAddress($0) }
    }

    /// Several addresses, each with a port.
    mutating func addresses(_ path: String) -> [ListenAddress] {
        self.hosts(path).compactMap { text in
            // A port alone would be an address of the loopback interface, which no other machine can use.
            guard text.contains(":"), let address = ListenAddress(text) else {
                self.fault(path, "'\(text)' is no address with a port, such as 10.0.0.5:9042 or [fd00::5]:9042")
                return nil
            }
            return address
        }
    }

    mutating func integer(_ path: String) -> Int {
        guard case .integer(let range) = self.key(path).kind else { preconditionFailure("\(path) is no number") }
        return self.parsed(path, "a whole number from \(range.lowerBound) to \(range.upperBound)") { text in
            Int(text.filter { $0 != "_" }).flatMap { range.contains($0) ? $0 : nil }
        }
    }

    /// A number that may be absent.
    mutating func optionalInteger(_ path: String) -> Int? {
        guard case .integer(let range) = self.key(path).kind else { preconditionFailure("\(path) is no number") }
        guard let text = self.found(path) else { return nil }
        if let value = Int(text.filter { $0 != "_" }), range.contains(value) { return value }
        self.fault(
            path,
            "'\(text.prefix(80))' is not a whole number from \(range.lowerBound) to \(range.upperBound)"
        )
        return nil
    }

    /// Yes or no.
    mutating func flag(_ path: String) -> Bool { self.choice(path) == "true" }

    /// Several texts; none where the key is absent.
    func texts(_ path: String) -> [String] {
        (self.found(path) ?? "").split(separator: ",").map { Nearest.trimmed($0) }.filter { !$0.isEmpty }
    }

    mutating func percentage(_ path: String) -> Double {
        self.parsed(path, "a number from 0 to 100") { text in
            Double(text).flatMap { (0...100).contains($0) ? $0 : nil }
        }
    }

    mutating func choice(_ path: String) -> String {
        guard case .choice(let choices) = self.key(path).kind else { preconditionFailure("\(path) is no choice") }
        return self.parsed(path, "one of \(choices.joined(separator: ", "))") { text in
            choices.first { $0 == text.lowercased() }
        }
    }

    /// A consistency level among those that the key has.
    mutating func consistency(_ path: String) -> Consistency {
        switch self.choice(path) {
        case "one": .one
        case "local_one": .localOne
        case "quorum": .quorum
        case "each_quorum": .eachQuorum
        case "all": .all
        default: .localQuorum
        }
    }

    mutating func mode(_ path: String) -> WriteMode {
        if let text = self.found(path) {
            do {
                return try WriteMode(parsing: text)
            } catch {
                self.fault(path, "\(error)")
            }
        }
        return .primaryOnly
    }

    /// Nil where the value is wrong: what its default needs beside it is then nobody's fault.
    mutating func ceiling(_ path: String) -> LoaderCeiling? {
        let faults = self.faults.count
        let ceiling = self.parsed(path, LoaderCeiling.expected) { LoaderCeiling($0) }
        return self.faults.count == faults ? ceiling : nil
    }

    mutating func hosts(_ path: String) -> [String] {
        let hosts = self.texts(path)
        for host in hosts {
            do throws(ContactPointError) {
                _ = try ContactPoint(parsing: host)
            } catch {
                self.fault(path, error.description)
            }
        }
        return hosts
    }

    mutating func tables(include: String, exclude: String) -> TableFilter {
        var patterns: [String: [TableFilter.Pattern]] = [:]
        for path in [include, exclude] {
            for name in self.texts(path) {
                do throws(TableFilterError) {
                    patterns[path, default: []].append(try TableFilter.Pattern(parsing: name))
                } catch {
                    self.fault(path, error.description)
                }
            }
        }
        return TableFilter(include: patterns[include] ?? [], exclude: patterns[exclude] ?? [])
    }

    /// A secret that stands in the configuration itself or in a file that it names.
    mutating func secret(_ path: String, file filePath: String) -> Secret? {
        let direct = self.found(path)
        guard let file = self.found(filePath) else {
            if direct?.isEmpty == true { self.fault(path, "must not be empty") }
            return direct.map { Secret($0) }
        }
        if direct != nil { self.fault(filePath, "stands beside \(path); give one of the two") }
        guard let text = self.readFile(file) else {
            self.fault(filePath, "the file '\(file)' cannot be read")
            return nil
        }
        let secret = Nearest.trimmed(text[...])
        if secret.isEmpty { self.fault(filePath, "the file '\(file)' is empty") }
        return secret.isEmpty ? nil : Secret(secret, file: file)
    }
}
