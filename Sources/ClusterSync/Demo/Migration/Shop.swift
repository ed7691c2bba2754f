import CQLClient
import CQLProtocol

/// The data of the demonstrated migration: a shop with texts, collections, lives, statics and a counter.
enum Shop {
    static let keyspace = "shop"
    static let tables = [
        "shop.orders (customer int, id int, tier text STATIC, item text, note text, PRIMARY KEY (customer, id)) "
            + "WITH CLUSTERING ORDER BY (id DESC)",
        "shop.customers (id int PRIMARY KEY, name text, tags set<text>, phones map<text, text>, addresses list<text>)",
        "shop.carts (id int PRIMARY KEY, contents text)",
        "shop.visits (page text PRIMARY KEY, n counter)",
    ]

    /// Customers, each with a cart.
    static let customers = 300
    static let ordersOfCustomer = 8
    static let pages = 20
    /// Seconds that a cart lives.
    static let cartSeconds = 86_400
    /// The rows before the migration begins.
    static let rows = customers * (ordersOfCustomer + 2) + pages

    /// Customers from here on are left alone by the application, so that what drifts among them stays as it is.
    static let quietCustomers = Int32(200)..<Int32(customers)

    /// Where a row is.
    enum Place: Hashable, Sendable {
        case order(customer: Int32, id: Int32)
        case customer(Int32)
        case cart(Int32)
        case page(Int32)

        /// The table and the key in the words of a comparison's report.
        var text: String {
            switch self {
            case .order(let customer, let id): "shop.orders \(customer) \(id)"
            case .customer(let id): "shop.customers \(id)"
            case .cart(let id): "shop.carts \(id)"
            case .page(let number): "shop.visits '\(Shop.page(number))'"
            }
        }
    }

    static func page(_ number: Int32) -> String { "/page/\(number)" }

    /// Makes the schema, as an operator does before a migration.
    static func makeSchema(_ session: CQLSession) async throws {
        let replication = "{'class': 'SimpleStrategy', 'replication_factor': 1}"
        try await session.query("CREATE KEYSPACE \(Self.keyspace) WITH replication = \(replication)")
        for table in Self.tables { try await session.query("CREATE TABLE \(table)") }
    }

    /// Writes what is there before the migration begins.
    static func fill(_ session: CQLSession, _ ledger: ShopLedger) async throws {
        let statements = try await ShopStatements(session)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for worker in 0..<Int32(16) {
                group.addTask {
                    for id in stride(from: worker, to: Int32(Self.customers), by: 16) {
                        try await statements.addCustomer(id, ledger)
                    }
                    for page in stride(from: worker, to: Int32(Self.pages), by: 16) {
                        for _ in 0...page { try await statements.visit(page, ledger) }
                    }
                }
            }
            try await group.waitForAll()
        }
    }

    /// All rows of a cluster that the application has a say in, but counters: what the application wrote last.
    static func contents(_ session: CQLSession) async throws -> [Place: String] {
        var contents: [Place: String] = [:]
        func read(_ text: String, _ add: (Row) throws -> Void) async throws {
            let statement = try await session.prepare(text, isIdempotent: true)
            for try await page in session.pages(statement, pageSize: 1_000) { for row in page { try add(row) } }
        }
        try await read("SELECT customer, id, note FROM shop.orders") { row in
            guard case .int(let customer) = try row.value(at: 0), case .int(let id) = try row.value(at: 1) else {
                return
            }
            contents[.order(customer: customer, id: id)] = try row.text(at: 2)
        }
        try await read("SELECT id, name FROM shop.customers") { row in
            if case .int(let id) = try row.value(at: 0) { contents[.customer(id)] = try row.text(at: 1) }
        }
        try await read("SELECT id, contents FROM shop.carts") { row in
            if case .int(let id) = try row.value(at: 0) { contents[.cart(id)] = try row.text(at: 1) }
        }
        return contents
    }

    /// All counters of a cluster.
    static func visits(_ session: CQLSession) async throws -> [Int32: Int64] {
        var visits: [Int32: Int64] = [:]
        guard let rows = try await session.query("SELECT page, n FROM shop.visits", isIdempotent: true).rows else {
            return visits
        }
        for row in rows {
            guard let number = Int32(try row.text(at: 0).dropFirst(Self.page(0).count - 1)),
                case .bigint(let count) = try row.value(at: 1)
            else { continue }
            visits[number] = count
        }
        return visits
    }
}

extension Row {
    /// A text; empty where there is none.
    func text(at index: Int) throws -> String {
        guard case .text(let text) = try self.value(at: index) else { return "" }
        return text
    }
}
