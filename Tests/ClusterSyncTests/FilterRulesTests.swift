import DualWriteCore
import FoundationEssentials
import Logging
import Operations
import Synchronization
import TestSupport
import Testing

@testable import ClusterSync

/// What the shadow gets, from a file of its own and from the admin port.
struct FilterRulesTests: ControlTests {
    private func rules(_ text: String) throws(ConfigurationError) -> ShadowFilter {
        try FilterRules(ConfigurationFile(name: "f.yaml", schema: .filterRules, text: text)).filter
    }

    @Test func `older tools' rules and our own keys mean the same`() throws {
        let older = try self.rules(
            """
            filters:
              tenant_blacklist: ["t-1", "t-2"]
              table_blacklist: ["shop.sessions", "logs.*"]
              tenant_id_columns: ["system_domain_id", "tenant_id"]
              reload_interval_secs: 60
            """
        )
        let own = try self.rules(
            """
            tables: {exclude: [shop.sessions, logs]}
            tenants: {exclude: [t-2, t-1], columns: [system_domain_id, tenant_id]}
            """
        )
        #expect(older.tenants == own.tenants)
        for (keyspace, table, isWanted) in [
            ("shop", "sessions", false), ("shop", "orders", true), ("logs", "any", false),
        ] {
            #expect(older.tables.wants(keyspace: keyspace, table: table) == isWanted)
            #expect(own.tables.wants(keyspace: keyspace, table: table) == isWanted)
        }
        #expect(try self.rules("").isOpen)
    }

    @Test(arguments: [
        ("filters: {tenant_whitelist: [a]}", "f.yaml:1: unknown key 'filters.tenant_whitelist'"),
        ("tables: {exclude: ['a.b.c']}", "f.yaml:1: tables.exclude: 'a.b.c' names no table"),
        ("tenants: {exclude: [a]}", "f.yaml:1: tenants.exclude: tenants need the columns"),
        ("tenants: {columns: [a]}", "f.yaml:1: tenants.columns: tenant columns need tenants"),
    ])
    func `what is wrong is named with its line`(text: String, fault: String) {
        let error = #expect(throws: ConfigurationError.self) { try self.rules(text) }
        #expect(error?.description.contains(fault) == true, "\(error.debugDescription)")
    }

    @Test func `a file that changes is taken up, and one that is wrong changes nothing`() async throws {
        let folder = try TemporaryFolder()
        let path = "\(folder.path)/filter-rules.yaml"
        try folder.put("filter-rules.yaml", Data("tables: {exclude: [a]}".utf8))
        let taken = Mutex<[CurrentFilter]>([])
        let reloader = SecretReloader(logger: Logger(label: "filter") { _ in SwiftLogNoOpLogHandler() })
        await reloader.followFilter(path, try FilterRules(path: path).filter) { filter in
            taken.withLock { $0.append(filter) }
        }
        await reloader.reload()
        #expect(taken.withLock { $0.count } == 0)
        try folder.put("filter-rules.yaml", Data("tables: {exclude: ['a.b.c']}".utf8))
        await reloader.reload()
        #expect(taken.withLock { $0.count } == 0)
        try folder.put("filter-rules.yaml", Data("tables: {exclude: [b]}".utf8))
        await reloader.reload()
        await reloader.reload()
        let filters = taken.withLock { $0 }
        #expect(filters.count == 1 && filters[0].origin == .file(path))
        #expect(filters.first?.filter.tables.wants(keyspace: "a", table: "t") == true)
        #expect(filters.first?.filter.tables.wants(keyspace: "b", table: "t") == false)
    }

    private func change(_ tables: [String] = [], columns: [String] = [], exclude: [String] = []) -> FiltersChange {
        FiltersChange(
            tables: .init(exclude: tables),
            tenantColumns: columns,
            tenants: .init(exclude: exclude),
            reason: "because",
            by: "test"
        )
    }

    @Test func `the admin port replaces the filter and shows what was meant`() async throws {
        try await self.withControl { bench in
            let changed = try await bench.control.change(
                self.change(["A.*", "b.\"C d\"", "e*.f?"], columns: ["tenant"], exclude: ["z", "y"])
            )
            #expect(changed.origin == "admin port" && changed.tables.exclude == ["a.*", "b.\"C d\"", "e*.f?"])
            #expect(changed.tenantColumns == ["tenant"] && changed.tenants.exclude == ["y", "z"])
            #expect(bench.proxy.filter.filter.tables.wants(keyspace: "eh", table: "fx") == false)
            for (change, words) in [
                (self.change(["a..b"]), "tables.exclude"), (self.change(exclude: ["t"]), "columns"),
            ] {
                let error = await #expect(throws: AdminError.self) { try await bench.control.change(change) }
                #expect(error?.message.contains(words) == true)
            }
            #expect(await bench.control.filters().tables == changed.tables)
            let audit = await bench.control.audit(max: 10).records
            #expect(audit.map(\.action) == [.filters], "what was refused is no change")
            #expect(audit.first?.what == "tables: all without a.*, b.\"C d\", e*.f?; tenants: all without y, z")
        }
    }

    @Test func `a filter that stands in a file is changed there`() async throws {
        try await self.withControl { bench in
            bench.proxy.setFilter(CurrentFilter(.all, from: .file("/etc/filter-rules.yaml")))
            let error = await #expect(throws: AdminError.self) { try await bench.control.change(self.change(["a"])) }
            #expect(error?.message.contains("/etc/filter-rules.yaml") == true)
            #expect(bench.proxy.filter.filter.isOpen)
        }
    }
}
