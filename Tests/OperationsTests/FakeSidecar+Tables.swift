import Operations

extension FakeSidecar {
    func tables() async -> TablesDocument {
        var table = TablesDocument.Table(table: "shop.orders")
        table.mismatches = 2
        table.compared = 10
        return TablesDocument(tables: [table], owedComplete: true)
    }

    func drain(_ drain: Drain) async throws(AdminError) -> DrainDocument {
        self.with { $0.drains.append(drain) }
        return DrainDocument(
            wasDraining: false,
            deadlineMs: drain.deadlineMs ?? 30_000,
            clients: 7,
            owed: 3,
            journalled: true
        )
    }
}
