import LiveTables
import NIOCore
import TokenRanges

/// A difference as a line of JSON that can be read again.
enum DifferenceLine {
    static func text(_ difference: Difference) -> String {
        var fields: [String: JSONLine.Value] = [
            "kind": .text(difference.kind.rawValue), "aspect": .text(difference.aspect.rawValue),
            "keyspace": .text(difference.table.keyspace), "table": .text(difference.table.table),
            "key": .array(difference.place.key.map { CQLLiteral.hexadecimal($0) }),
            "token": .text("\(difference.place.token)"),
        ]
        if let clustering = difference.place.clustering {
            fields["clustering"] = .array(clustering.map { CQLLiteral.hexadecimal($0) })
        }
        if let column = difference.column { fields["column"] = .text(column) }
        switch difference.element {
        case .key(let key)?: fields["element"] = .object(["key": CQLLiteral.hexadecimal(key)])
        case .index(let index)?: fields["element"] = .object(["index": "\(index)"])
        case .field(let name)?: fields["element"] = .object(["field": name])
        case nil: break
        }
        if let source = difference.source { fields["source"] = .object(Self.content(source)) }
        if let target = difference.target { fields["target"] = .object(Self.content(target)) }
        return JSONLine(fields).text
    }

    private static func content(_ content: Difference.Content) -> [String: String] {
        var fields: [String: String] = [:]
        fields["value"] = content.value.map { CQLLiteral.hexadecimal($0) }
        fields["writetime"] = content.writetime.map { "\($0)" }
        fields["expires_at"] = content.expiresAt.map { "\($0)" }
        return fields
    }

    /// Nil where the text is no difference.
    static func difference(_ text: String) -> Difference? {
        guard let fields = JSONLine(text)?.fields,
            case .text(let kindText)? = fields["kind"], let kind = Difference.Class(rawValue: kindText),
            case .text(let aspectText)? = fields["aspect"], let aspect = Difference.Aspect(rawValue: aspectText),
            case .text(let keyspace)? = fields["keyspace"], case .text(let table)? = fields["table"],
            case .array(let key)? = fields["key"], case .text(let tokenText)? = fields["token"],
            let token = Int64(tokenText)
        else { return nil }
        var place = RowPlace(key: key.compactMap { CQLLiteral.bytes(hexadecimal: $0) }, clustering: nil, token: token)
        if case .array(let values)? = fields["clustering"] {
            place.clustering = values.compactMap { CQLLiteral.bytes(hexadecimal: $0) }
        }
        var difference = Difference(
            kind: kind,
            aspect: aspect,
            table: TableName(keyspace: keyspace, table: table),
            place: place,
            source: Self.content(fields["source"]),
            target: Self.content(fields["target"])
        )
        if case .text(let column)? = fields["column"] { difference.column = column }
        if case .object(let element)? = fields["element"] {
            if let key = element["key"].flatMap({ CQLLiteral.bytes(hexadecimal: $0) }) {
                difference.element = .key(key)
            } else if let index = element["index"].flatMap({ Int($0) }) {
                difference.element = .index(index)
            } else if let name = element["field"] {
                difference.element = .field(name)
            }
        }
        return difference
    }

    private static func content(_ value: JSONLine.Value?) -> Difference.Content? {
        guard case .object(let fields)? = value else { return nil }
        return Difference.Content(
            value: fields["value"].flatMap { CQLLiteral.bytes(hexadecimal: $0) },
            writetime: fields["writetime"].flatMap { Int64($0) },
            expiresAt: fields["expires_at"].flatMap { Int64($0) }
        )
    }
}

extension Difference {
    /// The difference as a line of JSON.
    public var line: String { DifferenceLine.text(self) }

    /// Reads what ``line`` was; nil where the text is no difference.
    public init?(line: String) {
        guard let difference = DifferenceLine.difference(line) else { return nil }
        self = difference
    }
}
