import CQLProtocol
import CQLSyntax
import DualWriteCore
import NIOCore
import Testing

/// The mode of each request where tables have modes of their own.
struct TableModesTests {
    private static func modes(_ stage: ModeStage, _ texts: String...) throws -> TableModes {
        TableModes(stage, try ModeOverrides(try texts.map { try ModeOverride(parsing: $0) }))
    }

    private static func mode(_ text: String, _ modes: TableModes, keyspace: String? = "app") -> RequestMode {
        let analysis = StatementAnalysis.analyze(text)
        return modes.mode(of: analysis, RequestKind(analysis, keyspace: keyspace), keyspace: keyspace)
    }

    @Test(arguments: [
        "SELECT * FROM canary", "SELECT * FROM app.canary", "INSERT INTO canary (p) VALUES (1)",
        "UPDATE app.canary SET v = 1 WHERE p = 1", "DELETE FROM canary WHERE p = 1", "TRUNCATE canary",
        "TRUNCATE app.canary",
        "INSERT INTO canary (p) VALUES (1) IF NOT EXISTS", "UPDATE canary SET l = l + [1] WHERE p = 1",
        "BEGIN BATCH INSERT INTO canary (p) VALUES (1) APPLY BATCH", "SELECT * FROM \"canary\"", "SELECT * FROM CANARY",
    ])
    func `a statement about a table goes by the table's mode`(text: String) throws {
        #expect(Self.mode(text, try Self.modes(.dualWriteAsync, "app.canary=ShadowPrimary")) == .one(.shadowPrimary))
    }

    @Test(arguments: [
        "SELECT * FROM other", "SELECT * FROM x.canary", "SELECT * FROM \"Canary\"", "ALTER TABLE canary ADD c int",
        "DROP TABLE app.canary", "CREATE INDEX ON canary (v)", "GRANT SELECT ON app.canary TO joe", "USE app",
        "SELECT * FROM system.local", "SELECT * FROM system_schema.tables", "MAKE canary GREAT",
        "BEGIN BATCH APPLY BATCH",
        "UPDATE system.canary SET v = 1 WHERE p = 1",
    ])
    func `everything else goes by the sidecar's`(text: String) throws {
        #expect(Self.mode(text, try Self.modes(.dualWriteAsync, "app.canary=ShadowPrimary")) == .one(.dualWriteAsync))
    }

    @Test func `the keyspace of a connection counts, and where there is none nothing is known`() throws {
        let modes = try Self.modes(.dualWriteAsync, "app.canary=PrimaryOnly")
        #expect(Self.mode("SELECT * FROM canary", modes, keyspace: "x") == .one(.dualWriteAsync))
        #expect(Self.mode("SELECT * FROM canary", modes, keyspace: nil) == .one(.dualWriteAsync))
    }

    // MARK: Batches

    private static func batch(_ stages: ModeStage...) -> RequestMode {
        let parts = stages.enumerated().map {
            RequestMode.Part(table: TableName(keyspace: "app", table: "t\($0.offset)"), stage: $0.element)
        }
        return RequestMode(of: parts, in: .dualWriteAsync)
    }

    @Test func `of a batch the strictest mode counts where one cluster answers for all of it`() {
        #expect(Self.batch(.primaryOnly, .primaryOnly) == .one(.primaryOnly))
        #expect(Self.batch(.dualWriteAsync, .dualWriteSync) == .one(.dualWriteSync))
        #expect(Self.batch(.dualWriteSync, .dualWriteAsync) == .one(.dualWriteSync))
        #expect(Self.batch(.readsFirst, .dualWriteSync).stage?.mode == .dualWriteSync)
        #expect(Self.batch(.targetOnly, .targetOnly) == .one(.targetOnly))
        #expect(Self.batch() == .one(.dualWriteAsync))
    }

    @Test func `a batch of which some tables have no shadow is told apart`() {
        #expect(Self.batch(.primaryOnly, .dualWriteAsync) == .several(.dualWriteAsync))
        #expect(Self.batch(.dualWriteSync, .primaryOnly, .dualWriteAsync) == .several(.dualWriteSync))
        #expect(Self.batch(.targetOnly, .shadowPrimary) == .several(.shadowPrimary))
        #expect(Self.batch(.shadowPrimary, .targetOnly) == .several(.shadowPrimary))
    }

    @Test(
        arguments: [ModeStage.primaryOnly, .dualWriteAsync, .dualWriteSync, .readsFirst],
        [ModeStage.shadowPrimary, .targetOnly]
    )
    func `a batch over two primaries is refused, with tables and modes`(source: ModeStage, target: ModeStage) {
        for mode in [Self.batch(source, target), Self.batch(target, target, source)] {
            guard case .refused(let words) = mode else {
                Issue.record("\(mode)")
                return
            }
            #expect(
                mode.stage == nil && words.contains("app.t0") && words.contains(source.name)
                    && words.contains(target.name)
            )
        }
    }

    @Test func `a batch of text is several writes`() throws {
        let modes = try Self.modes(.dualWriteAsync, "app.held=PrimaryOnly", "app.canary=ShadowPrimary")
        func batch(_ tables: String...) -> RequestMode {
            let writes = tables.map { "INSERT INTO \($0) (p) VALUES (1);" }.joined()
            return Self.mode("BEGIN BATCH \(writes) APPLY BATCH", modes)
        }
        #expect(batch("held", "t") == .several(.dualWriteAsync))
        #expect(batch("t", "app.t") == .one(.dualWriteAsync))
        #expect(batch("held", "canary").stage == nil)
    }

    // MARK: Copies

    @Test func `of a batch a cluster gets what its tables have it for`() throws {
        let texts = ["held", "t", "canary", "x.t"].map { "INSERT INTO \($0) (p) VALUES (1)" }
        let statements = texts.map { WriteStatement(text: $0, analysis: .analyze($0), keyspace: "app") }
        let batch = Request.batch(Batch(children: texts.map { .init(.text($0), values: []) }))
        let modes = try Self.modes(.dualWriteAsync, "app.held=PrimaryOnly", "app.canary=TargetOnly")
        func share(_ cluster: Cluster, _ filter: ShadowFilter = .all) -> ShadowShare {
            filter.decision(of: batch, statements, schema: nil, in: ShadowPlace(cluster, modes)).share
        }
        #expect(share(.target) == .children([1, 2, 3]))
        #expect(share(.source) == .children([0, 1, 3]))
        let filter = ShadowFilter(tables: try TableFilter(parsing: [], exclude: ["app"]))
        // What a cluster has as the primary is no matter of the filter.
        #expect(share(.target, filter) == .children([2, 3]))
        #expect(share(.source, filter) == .children([0, 1, 3]))
    }

    // MARK: Clusters

    @Test func `clients need every primary, and both clusters of a join`() throws {
        #expect(try Self.modes(.primaryOnly).neededByClients == [.source])
        #expect(try Self.modes(.primaryOnly, "a.b=ShadowPrimary").neededByClients == [.source, .target])
        #expect(try Self.modes(.targetOnly, "a.b=PrimaryOnly").neededByClients == [.target, .source])
        #expect(try Self.modes(.dualWriteAsync, "a.b=DualWriteSync").neededByClients == [.source, .target])
        #expect(try Self.modes(.primaryOnly, "a.b=1").needs(.target))
        #expect(try !Self.modes(.primaryOnly, "a.b=0").needs(.target))
    }

    @Test func `each table is described as its primary has it, else as the other one`() {
        func shapes(_ tables: [String: String]) -> SchemaShapes {
            SchemaShapes(tables: ["k": tables.mapValues { TableShape(columns: [:], types: ["v": $0]) }])
        }
        let both = PerCluster<SchemaShapes?>(
            source: shapes(["a": "int", "b": "int", "s": "int"]),
            target: shapes(["a": "text", "b": "text", "t": "text"])
        )
        let merged = SchemaShapes(both) { _, table in table == "b" ? .target : .source }
        #expect(merged?.table("k", "a") == TableShape(columns: [:], types: ["v": "int"]))
        #expect(merged?.table("k", "b") == TableShape(columns: [:], types: ["v": "text"]))
        #expect(merged?.table("k", "s") != nil && merged?.table("k", "t") != nil)
        #expect(SchemaShapes(PerCluster(both: nil)) { _, _ in .source } == nil)
    }

    @Test func `whoever answers for some tables asks for names`() {
        func check(_ others: [ModeStage], asking: Set<Cluster>, own: Set<Cluster>) -> LoginCheck {
            LoginCheck(
                mode: .primaryOnly,
                others: others,
                asksForCredentials: asking.contains,
                usesOwnNames: own.contains
            )
        }
        #expect(check([], asking: [.target], own: [.target]) == .none)
        #expect(check([.dualWriteAsync], asking: [.target], own: [.target]) == .cluster(.target))
        #expect(check([.dualWriteAsync], asking: [.target], own: []) == .none)
        #expect(check([.shadowPrimary], asking: [.target], own: []) == .configured(.target))
        #expect(check([.shadowPrimary], asking: [.source, .target], own: [.source, .target]) == .cluster(.source))
    }
}
