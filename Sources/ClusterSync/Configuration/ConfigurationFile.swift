import FoundationEssentials
import Operations
import Yams

/// A YAML file, flattened to dotted paths with the line of each. Unknown keys are faults with a suggestion.
struct ConfigurationFile: Sendable {
    struct Value: Sendable, Equatable {
        let text: String
        let line: Int
    }

    /// The longest file that is read, in bytes.
    static let bytesMax = 1 << 20

    let name: String
    private(set) var values: [String: Value] = [:]
    private(set) var faults: [ConfigurationFault] = []

    /// Reads the file at `path`; a file that cannot be read has one fault and no values.
    init(path: String) {
        guard let data = FileManager.default.contents(atPath: path) else {
            self.init(name: path, fault: "the file cannot be read")
            return
        }
        guard data.count <= Self.bytesMax else {
            self.init(name: path, fault: "the file is longer than \(Self.bytesMax) bytes")
            return
        }
        self.init(name: path, text: String(decoding: data, as: UTF8.self))
    }

    private init(name: String, fault: String) {
        self.name = name
        self.faults = [.init(origin: name, message: fault)]
    }

    init(name: String, text: String) {
        self.name = name
        do {
            guard let root = try Yams.Parser(yaml: text).singleRoot() else { return }
            if case .scalar(let scalar) = root, scalar.string.isEmpty { return }
            guard case .mapping(let mapping) = root else {
                self.faults.append(.init(origin: name, message: "the file must be a mapping of keys to values"))
                return
            }
            self.add(mapping, below: "")
        } catch {
            self.faults.append(Self.fault(error, in: name))
        }
    }

    private static func fault(_ error: any Error, in name: String) -> ConfigurationFault {
        switch error as? YamlError {
        case .scanner(_, let problem, let mark, _), .parser(_, let problem, let mark, _),
            .composer(_, let problem, let mark, _):
            .init(origin: "\(name):\(mark.line)", message: "not valid YAML: \(problem)")
        case .duplicatedKeysInMapping(let duplicates, let context):
            .init(
                origin: "\(name):\(context.mark.line)",
                message: "the key \(duplicates.map { "'\($0)'" }.joined(separator: ", ")) is given twice"
            )
        default:
            .init(origin: name, message: "not valid YAML: \(error)")
        }
    }

    private mutating func add(_ mapping: Node.Mapping, below prefix: String) {
        for (key, value) in mapping {
            let line = key.mark?.line ?? 0
            let origin = "\(self.name):\(line)"
            guard let name = key.string else {
                self.faults.append(.init(origin: origin, message: "a key must be a text"))
                continue
            }
            let path = prefix.isEmpty ? name : "\(prefix).\(name)"
            if case .mapping(let inner) = value {
                if ConfigurationKey.all.contains(where: { $0.path.hasPrefix(path + ".") }) {
                    self.add(inner, below: path)
                } else {
                    self.faults.append(.init(origin: origin, message: self.unknown(path)))
                }
                continue
            }
            guard let known = ConfigurationKey.named(path) else {
                let isSection = ConfigurationKey.all.contains { $0.path.hasPrefix(path + ".") }
                // A section without content is what is left when all its keys are commented out.
                if isSection, Self.isNull(value) { continue }
                let message = isSection ? "\(path) holds other keys; it has no value itself" : self.unknown(path)
                self.faults.append(.init(origin: origin, message: message))
                continue
            }
            guard let text = self.text(of: value, for: known, origin) else { continue }
            if let earlier = self.values[known.path] {
                self.faults.append(.init(origin: origin, message: "\(path) was already given in line \(earlier.line)"))
            }
            self.values[known.path] = Value(text: text, line: line)
        }
    }

    private static func isNull(_ node: Node) -> Bool {
        guard case .scalar(let scalar) = node, scalar.style == .plain else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(scalar.string)
    }

    private mutating func text(of node: Node, for key: ConfigurationKey, _ origin: String) -> String? {
        if Self.isNull(node) { return nil }
        switch node {
        case .scalar(let scalar):
            return scalar.string
        case .sequence(let sequence) where key.kind == .hosts || key.kind == .tables:
            let texts = sequence.compactMap { $0.scalar?.string }
            guard texts.count == sequence.count else {
                self.faults.append(.init(origin: origin, message: "\(key.path): every host must be a text"))
                return nil
            }
            return texts.joined(separator: ",")
        case .sequence, .mapping, .alias:
            self.faults.append(.init(origin: origin, message: "\(key.path): must be one value"))
            return nil
        }
    }

    private func unknown(_ path: String) -> String {
        Nearest.unknown("key", path, among: ConfigurationKey.names)
    }
}
