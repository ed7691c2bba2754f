import CQLProtocol
import CQLSyntax

/// The tables of the system keyspaces with what they say of the node and of its schema. Each is filled when it is read.
struct SystemTables {
    let schema: Schema
    let identity: NodeIdentity
    let peers: [NodeIdentity]
    /// The only keyspace that the schema's tables tell of; nil for all.
    var asked: String?

    /// All keyspaces that belong to the node itself.
    static let keyspaceNames = Set(SystemSchema.replication.keys).union(SystemSchema.virtualKeyspaces)

    /// The table with its rows; `nil` where there is none of that name.
    func table(keyspace: String, name: String) -> Table? {
        guard let definition = self.schema.system[keyspace]?.tables[name] else { return nil }
        var filler = TableFiller(definition)
        switch "\(keyspace).\(name)" {
        case "system.local": self.local(&filler)
        case "system.peers": for peer in self.peers { filler.row(self.row(of: peer)) }
        case "system.peers_v2": for peer in self.peers { filler.row(self.row(of: peer)) }
        case "system_schema.keyspaces":
            for keyspace in self.keyspaces {
                filler.row([
                    "keyspace_name": .text(keyspace.name), "durable_writes": .bytes([keyspace.durableWrites ? 1 : 0]),
                    "replication": .textMap(keyspace.replication.sorted { $0.key < $1.key }),
                ])
            }
        case "system_schema.tables": for table in self.tables { filler.row(self.row(of: table)) }
        case "system_schema.columns": for table in self.tables { self.columns(of: table, &filler) }
        case "system_schema.dropped_columns": break
        case "system_schema.types": for keyspace in self.keyspaces { self.types(of: keyspace, &filler) }
        case "system.IndexInfo":
            // An index is built as soon as it is made.
            for table in self.tables {
                for index in table.indexes {
                    // The column has its name from when keyspaces were called tables.
                    filler.row(["table_name": .text(table.keyspace), "index_name": .text(index.name)])
                }
            }
        case "system_schema.indexes": for table in self.tables { self.indexes(of: table, &filler) }
        case "system_virtual_schema.keyspaces":
            for name in SystemSchema.virtualKeyspaces { filler.row(["keyspace_name": .text(name)]) }
        case "system_virtual_schema.tables":
            for table in self.virtualTables {
                filler.row([
                    "keyspace_name": .text(table.keyspace), "table_name": .text(table.name), "comment": .text(""),
                ])
            }
        case "system_virtual_schema.columns": for table in self.virtualTables { self.columns(of: table, &filler) }
        case "system_auth.roles":
            filler.row(["role": .text("cassandra"), "can_login": .bytes([1]), "is_superuser": .bytes([1])])
        default: break
        }
        return filler.table
    }

    private var keyspaces: [Keyspace] {
        let own = self.schema.system.values.filter { SystemSchema.replication[$0.name] != nil }
        return (own + self.schema.keyspaces.values).filter { self.asked == nil || self.asked == $0.name }
    }

    private var tables: [Table] { self.keyspaces.flatMap { $0.tables.values } }

    private var virtualTables: [Table] {
        SystemSchema.virtualKeyspaces.flatMap { self.schema.system[$0]?.tables.values.map { $0 } ?? [] }
    }

    // MARK: Nodes

    private func local(_ filler: inout TableFiller) {
        var row = self.row(of: self.identity)
        let address = self.identity.endpoint.address.bytes.bytes
        row.merge([
            "key": .text("local"), "bootstrapped": .text("COMPLETED"), "broadcast_address": .bytes(address),
            "broadcast_port": .integer(7000), "cluster_name": .text(self.identity.clusterName),
            "cql_version": .text("3.4.6"), "gossip_generation": .integer(1), "listen_address": .bytes(address),
            "listen_port": .integer(7000), "native_protocol_version": .text("4"),
            "partitioner": .text(Murmur3Partitioner.className), "rpc_port": .integer(self.identity.endpoint.port),
        ]) { $1 }
        filler.row(row)
    }

    /// The columns of `local`, `peers` and `peers_v2`; a table takes those that it has.
    private func row(of node: NodeIdentity) -> [String: FillerValue] {
        let address = node.endpoint.address.bytes.bytes
        return [
            "peer": .bytes(address), "peer_port": .integer(7000), "data_center": .text(node.dataCenter),
            "host_id": .bytes(node.hostID.high.bytes + node.hostID.low.bytes), "native_address": .bytes(address),
            "native_port": .integer(node.endpoint.port), "rack": .text(node.rack),
            "release_version": .text(node.releaseVersion), "rpc_address": .bytes(address),
            "schema_version": .bytes(self.schema.version), "tokens": .texts(node.tokens.map { String($0) }.sorted()),
        ]
    }

    // MARK: Schema

    private func row(of table: Table) -> [String: FillerValue] {
        let settings = TableSettings(table.options)
        var row: [String: FillerValue] = [
            "keyspace_name": .text(table.keyspace), "table_name": .text(table.name), "id": .bytes(table.id),
            "flags": .texts(table.isCounter ? ["compound", "counter"] : ["compound"]),
            "extensions": .bytes(.collection(count: 0, [])),
            "dclocal_read_repair_chance": .bytes(Double(0).bitPattern.bytes),
            "read_repair_chance": .bytes(Double(0).bitPattern.bytes),
        ]
        for name in TableSettings.texts.keys { row[name] = .text(settings.text(name)) }
        for name in TableSettings.integers.keys { row[name] = .integer(settings.integer(name)) }
        for name in TableSettings.fractions.keys { row[name] = .bytes(settings.fraction(name).bitPattern.bytes) }
        for name in TableSettings.maps { row[name] = .textMap(settings.map(name)) }
        return row
    }

    private func columns(of table: Table, _ filler: inout TableFiller) {
        for column in table.columns {
            let order = column.kind == .clustering ? (column.isDescending ? "desc" : "asc") : "none"
            filler.row([
                "keyspace_name": .text(table.keyspace), "table_name": .text(table.name),
                "column_name": .text(column.name), "clustering_order": .text(order),
                "column_name_bytes": .text(column.name), "kind": .text(column.kind.rawValue),
                "position": .integer(Int32(column.position)), "type": .text(column.type.description),
            ])
        }
    }

    private func types(of keyspace: Keyspace, _ filler: inout TableFiller) {
        for (name, fields) in keyspace.types {
            filler.row([
                "keyspace_name": .text(keyspace.name), "type_name": .text(name),
                "field_names": .texts(fields.map(\.name)), "field_types": .texts(fields.map(\.type.description)),
            ])
        }
    }

    private func indexes(of table: Table, _ filler: inout TableFiller) {
        for index in table.indexes {
            filler.row([
                "keyspace_name": .text(table.keyspace), "table_name": .text(table.name),
                "index_name": .text(index.name), "kind": .text(index.kind),
                "options": .textMap(index.options.sorted { $0.key < $1.key }.map { (key: $0.key, value: $0.value) }),
            ])
        }
    }
}
