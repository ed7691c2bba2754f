import CQLProtocol
import NIOCore

/// One request of a simulated client.
struct SimulatedOperation: Sendable, CustomStringConvertible {
    /// How it is asked for.
    enum Form: Sendable {
        /// A QUERY, its values in the text or bound to markers.
        case query(bound: Bool)
        case prepared
        /// A BATCH whose children are prepared, or texts.
        case batch(Batch.Kind, prepared: Bool)
    }

    let id: Int
    var form: Form
    var changes: [SimulatedChange]
    /// The client's own timestamp, where it gives one.
    var timestamp: Int64?
    /// The timestamp stands in the text instead of in the frame.
    var isTimestampInText = false

    /// The text of a change and the values of its markers.
    func statement(_ change: SimulatedChange, bound: Bool) -> (text: String, values: [BoundValue]) {
        var values: [BoundValue] = []
        func text(_ value: String) -> String {
            guard bound else { return "'\(value)'" }
            values.append(.value(ByteBuffer(string: value)))
            return "?"
        }
        func number(_ value: Int) -> String {
            guard bound else { return "\(value)" }
            values.append(.value(ByteBuffer(integer: Int32(value))))
            return "?"
        }
        func long(_ value: Int64) -> String {
            guard bound else { return "\(value)" }
            values.append(.value(ByteBuffer(integer: value)))
            return "?"
        }
        let stamp = self.isTimestampInText ? self.timestamp : nil
        func using(_ timeToLive: Int? = nil) -> String {
            switch (timeToLive, stamp) {
            case (nil, nil): ""
            case (let life?, nil): " USING TTL \(number(life))"
            case (nil, let stamp?): " USING TIMESTAMP \(long(stamp))"
            case (let life?, let stamp?): " USING TTL \(number(life)) AND TIMESTAMP \(long(stamp))"
            }
        }
        let cql: String
        switch change {
        case .insert(let table, let p, let c, let a, let b, let timeToLive):
            var columns = "p, c"
            var markers = "\(text(p)), \(number(c))"
            for case (let name, let value?) in [("a", a), ("b", b)] {
                columns += ", \(name)"
                markers += ", \(text(value))"
            }
            cql = "INSERT INTO \(table.name) (\(columns)) VALUES (\(markers))\(using(timeToLive))"
        case .update(let table, let p, let c, let column, let value):
            let head = "UPDATE \(table.name)\(using()) SET \(column) = \(text(value))"
            cql = "\(head) WHERE p = \(text(p)) AND c = \(number(c))"
        case .deleteColumn(let table, let p, let c, let column):
            let head = "DELETE \(column) FROM \(table.name)\(using())"
            cql = "\(head) WHERE p = \(text(p)) AND c = \(number(c))"
        case .deleteRow(let table, let p, let c):
            let head = "DELETE FROM \(table.name)\(using())"
            cql = "\(head) WHERE p = \(text(p)) AND c = \(number(c))"
        case .deletePartition(let table, let p):
            let head = "DELETE FROM \(table.name)\(using())"
            cql = "\(head) WHERE p = \(text(p))"
        case .insertIfNotExists(let p, let value):
            cql = "INSERT INTO \(change.table.name) (p, v) VALUES (\(text(p)), \(text(value))) IF NOT EXISTS"
        case .updateIf(let p, let value, let expected):
            let head = "UPDATE \(change.table.name) SET v = \(text(value))"
            cql = "\(head) WHERE p = \(text(p)) IF v = \(text(expected))"
        case .count(let p, let digit):
            cql = "UPDATE \(change.table.name) SET n = n + \(long(1 << (2 * Int64(digit)))) WHERE p = \(text(p))"
        case .append(let p, let value):
            let list: String
            if bound {
                var bytes = ByteBuffer()
                bytes.writeInteger(Int32(1))
                bytes.writeInteger(Int32(value.utf8.count))
                bytes.writeString(value)
                values.append(.value(bytes))
                list = "?"
            } else {
                list = "['\(value)']"
            }
            cql = "UPDATE \(change.table.name) SET l = l + \(list) WHERE p = \(text(p))"
        case .insertCleared(let p, let value):
            cql = "INSERT INTO \(change.table.name) (p, v) VALUES (\(text(p)), \(text(value)))"
        case .truncate:
            cql = "TRUNCATE \(change.table.name)"
        }
        return (cql, values)
    }

    var description: String {
        let texts = self.changes.map { self.statement($0, bound: false).text }.joined(separator: "; ")
        let stamp = self.timestamp.map { self.isTimestampInText ? "" : " at \($0)" } ?? ""
        return "w\(self.id) \(self.form)\(stamp): \(texts)"
    }
}

extension SimulatedOperation.Form: CustomStringConvertible {
    var description: String {
        switch self {
        case .query(let bound): bound ? "QUERY with values" : "QUERY"
        case .prepared: "EXECUTE"
        case .batch(let kind, let prepared):
            "\(kind == .logged ? "logged" : kind == .counter ? "counter" : "unlogged") BATCH\(prepared ? " of prepared" : "")"
        }
    }
}
