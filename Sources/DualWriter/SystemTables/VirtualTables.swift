import CQLClient
import CQLProtocol
import CQLSyntax
import DualWriteCore
import NIOCore

/// `system.local`, `system.peers` and `system.peers_v2` as clients must see them: the sidecar is the whole cluster, so that
/// a driver never finds its way around it (DESIGN §7).
///
/// Column for column what the primary's own tables have; only what says where a node is differs.
struct VirtualTables {
    let topology: ClusterTopology
    /// The address on which the client has found the proxy, or the configured one.
    let address: SocketAddress?
    /// All sidecars that the client may use; empty where there is this one alone.
    var ring = SidecarRing([])

    /// The columns of a table; nil where the primary has no such table.
    func columns(of table: String) -> [ColumnSpec]? {
        switch table {
        case "local": self.topology.local.columns
        case "peers": self.topology.peersColumns
        case "peers_v2": self.topology.peersV2Columns
        default: nil
        }
    }

    /// Answers a SELECT.
    ///
    /// - Parameter values: of the statement's markers, in order.
    func select(
        _ analysis: StatementAnalysis,
        values: [BoundValue],
        named: [String: BoundValue],
        skipMetadata: Bool
    ) -> Response {
        let table = analysis.table ?? ""
        guard let columns = self.columns(of: table) else {
            return .error(ProxyError.invalid("unconfigured table \(table)"))
        }
        guard let selection = analysis.selection, !selection.isJSON, selection.hasOnlyEqualities else {
            return .error(ProxyError.invalid(Self.unsupported(table)))
        }
        var rows = table == "local" ? [self.localCells()] : self.peerRows(columns)
        let keys = table == "local" ? ["key"] : ["peer", "peer_port"]
        for equality in selection.equalities {
            guard let index = columns.firstIndex(where: { $0.name == equality.column }) else {
                return .error(Self.undefined(equality.column, table))
            }
            guard keys.contains(equality.column),
                let wanted = Self.bytes(of: equality.term, columns[index].type, values, named)
            else { return .error(ProxyError.invalid(Self.unsupported(table))) }
            rows.removeAll { $0[index] != wanted }
        }
        if let limit = selection.limit { rows = Array(rows.prefix(max(0, limit))) }
        return self.project(rows, columns, selection, table, skipMetadata: skipMetadata)
    }

    private func project(
        _ rows: [[ByteBuffer?]],
        _ columns: [ColumnSpec],
        _ selection: Selection,
        _ table: String,
        skipMetadata: Bool
    ) -> Response {
        var specs: [ColumnSpec] = []
        var picked: [[ByteBuffer?]] = rows.map { _ in [] }
        if let items = selection.items {
            if items.count == 1, items[0].isCount {
                let spec = ColumnSpec(keyspace: "system", table: table, name: items[0].name, type: .bigint)
                return Self.rows([spec], [[ByteBuffer(integer: Int64(rows.count))]], skipMetadata: skipMetadata)
            }
            for item in items {
                guard let column = item.column else { return .error(ProxyError.invalid(Self.unsupported(table))) }
                guard let index = columns.firstIndex(where: { $0.name == column }) else {
                    return .error(Self.undefined(column, table))
                }
                var spec = columns[index]
                spec.name = item.name
                specs.append(spec)
                for row in rows.indices { picked[row].append(rows[row][index]) }
            }
        } else {
            specs = columns
            picked = rows
        }
        return Self.rows(specs, picked, skipMetadata: skipMetadata)
    }

    private static func rows(_ specs: [ColumnSpec], _ cells: [[ByteBuffer?]], skipMetadata: Bool) -> Response {
        do throws(CQLProtocolError) {
            let metadata =
                skipMetadata ? ResultMetadata(skippedColumnCount: specs.count) : ResultMetadata(columns: specs)
            return .result(.rows(try Rows(metadata: metadata, rows: cells)))
        } catch {
            return .error(ProxyError.server("a system table cannot be described: \(error.what)"))
        }
    }

    /// Answers a PREPARE of such a SELECT.
    func prepare(_ statement: PreparedStatement) -> Response {
        let table = statement.analysis.table ?? ""
        guard let columns = self.columns(of: table) else {
            return .error(ProxyError.invalid("unconfigured table \(table)"))
        }
        var variables: [ColumnSpec] = []
        for marker in statement.analysis.markers {
            guard let column = marker.column, var spec = columns.first(where: { $0.name == column }) else {
                return .error(ProxyError.invalid(Self.unsupported(table)))
            }
            if let name = marker.name { spec.name = name }
            variables.append(spec)
        }
        let key = table == "local" ? "key" : "peer"
        let keyIndex = statement.analysis.markers.firstIndex { $0.column == key }.map { UInt16($0) }
        let unbound = Array(repeating: BoundValue.null, count: variables.count)
        let named = Dictionary(variables.map { ($0.name, BoundValue.null) }, uniquingKeysWith: { first, _ in first })
        let answer = self.select(statement.analysis, values: unbound, named: named, skipMetadata: false)
        guard case .result(.rows(let rows)) = answer else { return answer }
        let id = statement.id.withShortBytes { ByteBuffer(bytes: $0.dropFirst(2)) }
        return .result(
            .prepared(
                Prepared(
                    id: id,
                    variables: PreparedMetadata(markers: variables, partitionKeyIndices: keyIndex.map { [$0] } ?? []),
                    result: ResultMetadata(columns: rows.metadata.columns)
                )
            )
        )
    }

    // MARK: The sidecar's own row

    private func localCells() -> [ByteBuffer?] {
        let row = self.topology.local
        return zip(row.columns, row.cells).map { column, cell in
            switch column.name {
            case "rpc_address", "broadcast_address", "listen_address", "native_address":
                self.addressCell
            case "rpc_port", "native_port":
                cell == nil ? nil : self.address?.port.map { ByteBuffer(integer: Int32($0)) } ?? cell
            case "host_id":
                Self.hostID(self.address)
            case "tokens":
                self.address.flatMap { self.tokens(of: $0) } ?? cell
            default:
                cell
            }
        }
    }

    private var addressCell: ByteBuffer? { self.address?.packed }

    /// One for each other sidecar. What is the same for all of them is so for this one.
    private func peerRows(_ columns: [ColumnSpec]) -> [[ByteBuffer?]] {
        self.ring.others(than: self.address).map { peer in
            columns.map { column in
                switch column.name {
                case "peer", "rpc_address", "native_address", "preferred_ip": peer.packed
                case "peer_port", "native_port", "preferred_port": peer.port.map { ByteBuffer(integer: Int32($0)) }
                case "host_id": Self.hostID(peer)
                case "tokens": self.tokens(of: peer)
                default: self.topology.local[column.name]
                }
            }
        }
    }

    /// A set of texts.
    private func tokens(of sidecar: SocketAddress) -> ByteBuffer? {
        guard let token = self.ring.token(of: sidecar) else { return nil }
        let text = String(token)
        var set = ByteBuffer(integer: Int32(1))
        set.writeInteger(Int32(text.utf8.count))
        set.writeString(text)
        return set
    }

    /// One per sidecar and the same in every mode, so that a driver takes a change of the primary for nothing at all.
    private static func hostID(_ address: SocketAddress?) -> ByteBuffer {
        let place = address.map { "\($0.ipAddress ?? ""):\($0.port ?? 0)" } ?? ""
        let hash = StatementID(keyspace: "cluster-sync host", text: place)
        var bytes = ByteBuffer()
        // Version 8 and the variant of RFC 9562 §5.8: made by the application's own rule.
        bytes.writeInteger(hash.high & ~0xf000 | 0x8000)
        bytes.writeInteger(hash.low & ~(0x3 << 62) | (0x2 << 62))
        return bytes
    }

    // MARK: Words

    private static func unsupported(_ table: String) -> String {
        "cluster-sync answers system.\(table) by itself and supports columns, count(*) and WHERE on its key only"
    }

    private static func undefined(_ column: String, _ table: String) -> ErrorMessage {
        ProxyError.invalid("Undefined column name \(column) in table system.\(table)")
    }

    /// What a column is compared with; nil where the term is neither a literal nor a marker with a value.
    private static func bytes(
        of term: Term,
        _ type: DataType,
        _ values: [BoundValue],
        _ named: [String: BoundValue]
    ) -> ByteBuffer? {
        switch term {
        case .literal(let literal):
            switch type {
            case .native(0x0010): return (try? SocketAddress(ipAddress: literal.text, port: 0))?.packed
            case .int: return Int32(literal.text).map { ByteBuffer(integer: $0) }
            default: return ByteBuffer(string: literal.text)
            }
        case .marker(let marker):
            let value =
                marker.name.flatMap { named[$0] }
                ?? (values.indices.contains(marker.index) ? values[marker.index] : nil)
            switch value {
            case .value(let bytes): return bytes
            case .null, .unset: return ByteBuffer()
            case nil: return nil
            }
        default:
            return nil
        }
    }
}

extension SocketAddress {
    /// The 4 or 16 bytes of the address.
    var packed: ByteBuffer? {
        switch self {
        case .v4:
            let parts = (self.ipAddress ?? "").split(separator: ".").compactMap { UInt8($0) }
            return parts.count == 4 ? ByteBuffer(bytes: parts) : nil
        case .v6:
            // Behind family, port and flow label of its `sockaddr_in6` (RFC 3493 §3.3).
            return self.withSockAddr { pointer, size in
                guard size >= 24 else { return nil }
                return ByteBuffer(bytes: UnsafeRawBufferPointer(start: pointer, count: size)[8..<24])
            }
        case .unixDomainSocket:
            return nil
        }
    }
}
