import CQLClient
import CQLProtocol

/// What the shop's application does to its data. Each write that was acknowledged is in the ledger.
struct ShopStatements: Sendable {
    private let session: CQLSession
    private let order: CQLStatement
    private let tier: CQLStatement
    private let note: CQLStatement
    private let cancel: CQLStatement
    private let read: CQLStatement
    private let customer: CQLStatement
    private let rename: CQLStatement
    private let cart: CQLStatement
    private let visit: CQLStatement

    init(_ session: CQLSession) async throws {
        self.session = session
        self.order = try await session.prepare("INSERT INTO shop.orders (customer, id, item, note) VALUES (?, ?, ?, ?)")
        self.tier = try await session.prepare("UPDATE shop.orders SET tier = ? WHERE customer = ?")
        self.note = try await session.prepare("UPDATE shop.orders SET note = ? WHERE customer = ? AND id = ?")
        self.cancel = try await session.prepare("DELETE FROM shop.orders WHERE customer = ? AND id = ?")
        self.read = try await session.prepare("SELECT note FROM shop.orders WHERE customer = ? AND id = ?")
        self.customer = try await session.prepare(
            "INSERT INTO shop.customers (id, name, tags, phones, addresses) VALUES (?, ?, ?, ?, ?)"
        )
        self.rename = try await session.prepare("UPDATE shop.customers SET name = ?, tags = tags + ? WHERE id = ?")
        self.cart = try await session.prepare(
            "INSERT INTO shop.carts (id, contents) VALUES (?, ?) USING TTL \(Shop.cartSeconds)"
        )
        self.visit = try await session.prepare("UPDATE shop.visits SET n = n + 1 WHERE page = ?")
    }

    /// A customer with a cart and orders.
    func addCustomer(_ id: Int32, _ ledger: ShopLedger) async throws {
        let name = "customer \(id)"
        _ = try await self.session.execute(
            self.customer,
            [
                .int(id), .text(name), .set([.text("early"), .text("group \(id % 7)")]),
                .map([.init(key: .text("home"), value: .text("+49 30 \(1_000 + id)"))]),
                .list([.text("\(id) Main Street"), .text("\(id) Back Lane")]),
            ]
        )
        ledger.wrote(.customer(id), name)
        try await self.fillCart(id, "cart \(id)", ledger)
        for order in 0..<Int32(Shop.ordersOfCustomer) {
            try await self.addOrder(id, order, "note \(order) of \(id)", ledger)
        }
        _ = try await self.session.execute(self.tier, [.text(id % 3 == 0 ? "gold" : "plain"), .int(id)])
    }

    func addOrder(_ customer: Int32, _ id: Int32, _ note: String, _ ledger: ShopLedger) async throws {
        _ = try await self.session.execute(self.order, [.int(customer), .int(id), .text("item \(id)"), .text(note)])
        ledger.wrote(.order(customer: customer, id: id), note)
    }

    func annotate(_ customer: Int32, _ id: Int32, _ note: String, _ ledger: ShopLedger) async throws {
        _ = try await self.session.execute(self.note, [.text(note), .int(customer), .int(id)])
        ledger.wrote(.order(customer: customer, id: id), note)
    }

    func cancelOrder(_ customer: Int32, _ id: Int32, _ ledger: ShopLedger) async throws {
        _ = try await self.session.execute(self.cancel, [.int(customer), .int(id)])
        ledger.deleted(.order(customer: customer, id: id))
    }

    func readOrder(_ customer: Int32, _ id: Int32) async throws {
        _ = try await self.session.execute(self.read, [.int(customer), .int(id)])
    }

    func renameCustomer(_ id: Int32, _ name: String, _ ledger: ShopLedger) async throws {
        _ = try await self.session.execute(self.rename, [.text(name), .set([.text("returning")]), .int(id)])
        ledger.wrote(.customer(id), name)
    }

    func fillCart(_ id: Int32, _ contents: String, _ ledger: ShopLedger) async throws {
        _ = try await self.session.execute(self.cart, [.int(id), .text(contents)])
        ledger.wrote(.cart(id), contents)
    }

    func visit(_ page: Int32, _ ledger: ShopLedger) async throws {
        _ = try await self.session.execute(self.visit, [.text(Shop.page(page))])
        ledger.visited(page)
    }
}
