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
    private let schema: ConfigurationSchema
    private(set) var values: [String: Value] = [:]
    private(set) var faults: [ConfigurationFault] = []
    /// Whether it could be read as YAML: if not, nobody knows what it says.
    private(set) var isRead = true

    /// Reads the file at `path`; a file that cannot be read has one fault and no values.
    init(path: String, schema: ConfigurationSchema) {
        guard let data = FileManager.default.contents(atPath: path) else {
            self.init(name: path, schema: schema, fault: "the file cannot be read")
            return
        }
        guard data.count <= Self.bytesMax else {
            self.init(name: path, schema: schema, fault: "the file is longer than \(Self.bytesMax) bytes")
            return
        }
        self.init(name: path, schema: schema, text: String(decoding: data, as: UTF8.self))
    }

    private init(name: String, schema: ConfigurationSchema, fault: String) {
        self.name = name
        self.schema = schema
        self.faults = [.init(origin: name, message: fault)]
        self.isRead = false
    }

    init(name: String, schema: ConfigurationSchema, text: String) {
        self.name = name
        self.schema = schema
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
            self.isRead = false
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
        case .reader(let problem, _, _, _):
            // Its description shows the text around it, which may be a password, or no text at all.
            .init(origin: name, message: "not valid YAML: \(problem)")
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
            let isSection = self.schema.isSection(path)
            if case .mapping(let inner) = value {
                if isSection {
                    self.add(inner, below: path)
                } else {
                    self.faults.append(.init(origin: origin, message: self.schema.unknown(path)))
                }
                continue
            }
            guard let known = self.schema.key(named: path) else {
                // A section without content is what is left when all its keys are commented out.
                if isSection, Self.isNull(value) { continue }
                let message =
                    isSection
                    ? "\(path) has no value itself, only keys below it: \(self.schema.examples(below: path))"
                    : self.schema.unknown(path)
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
        case .sequence(let sequence) where key.kind.isList:
            return self.text(of: sequence, for: key, origin)
        case .sequence, .mapping, .alias:
            self.faults.append(.init(origin: origin, message: "\(key.path): must be one value"))
            return nil
        }
    }

    /// The entries with commas between them.
    private mutating func text(of sequence: Node.Sequence, for key: ConfigurationKey, _ origin: String) -> String? {
        var texts: [String] = []
        for node in sequence {
            if let text = node.scalar?.string {
                texts.append(text)
            } else if let text = self.nameOfTable(node, for: key) {
                texts.append(text)
            } else {
                let entry = key.kind == .hosts ? "host" : "entry"
                self.faults.append(.init(origin: origin, message: "\(key.path): every \(entry) must be a text"))
                return nil
            }
        }
        if key.kind == .texts, let text = texts.first(where: { $0.contains(",") }) {
            self.faults.append(.init(origin: origin, message: "\(key.path): '\(text)' holds a comma"))
            return nil
        }
        return texts.joined(separator: ",")
    }

    /// Older files write a table as `{name: …, partition_key: […]}`; the key is in the schema anyway.
    private mutating func nameOfTable(_ node: Node, for key: ConfigurationKey) -> String? {
        guard key.kind == .tables, case .mapping(let mapping) = node, let name = mapping["name"]?.string else {
            return nil
        }
        for (other, _) in mapping where other.string != "name" {
            let text = other.string ?? ""
            let message =
                text == "partition_key"
                ? "\(key.path): partition_key has no meaning here: it is read from the schema; leave it out"
                : "\(key.path): " + Nearest.unknown("key", text, among: ["name"])
            self.faults.append(.init(origin: "\(self.name):\(other.mark?.line ?? 0)", message: message))
        }
        return name
    }
}
