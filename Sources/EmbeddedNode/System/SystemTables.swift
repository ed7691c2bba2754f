/// The tables of the system keyspaces. None exist yet, so that reads of them are refused as of unknown tables.
struct SystemTables {
    static let keyspaceNames: Set<String> = ["system", "system_schema"]

    init(schema: Schema, identity: NodeIdentity, peers: [NodeIdentity]) {}

    func table(keyspace: String, name: String) -> Table? { nil }
}
