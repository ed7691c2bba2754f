import CQLClient
import CQLProtocol
import DualReader

/// What goes wrong in a migration: somebody writes past the sidecar, on one cluster alone.
enum MigrationDrift {
    /// Rows of each class.
    private static let each = Int32(5)
    private static let customers = Shop.quietCustomers.lowerBound..<Shop.quietCustomers.lowerBound + each
    /// No order of the application's has these ids.
    private static let missingID: Int32 = 900
    private static let extraID: Int32 = 901
    private static let stranger = "somebody else"

    /// What a comparison must find.
    static let expected: [Difference.Class: Int] = [
        .value: Int(each), .missingOnTarget: Int(each), .missingOnSource: Int(each), .timeToLive: Int(each),
    ]

    /// Where, in the words of a comparison's report.
    static var places: Set<String> {
        Set(
            self.customers.flatMap { customer in
                [
                    Shop.Place.customer(customer), .order(customer: customer, id: self.missingID),
                    .order(customer: customer, id: self.extraID), .cart(customer),
                ].map(\.text)
            }
        )
    }

    static func inject(_ scene: MigrationStory.Scene) async throws -> MigrationOutcome {
        let (source, target) = (scene.sessions.source, scene.sessions.target)
        func order(_ id: Int32, _ customer: Int32, _ session: CQLSession) async throws {
            let values = "\(customer), \(id), 'item', '\(self.stranger)'"
            try await session.query("INSERT INTO shop.orders (customer, id, item, note) VALUES (\(values))")
        }
        for customer in self.customers {
            try await target.query("UPDATE shop.customers SET name = '\(self.stranger)' WHERE id = \(customer)")
            try await order(self.missingID, customer, source)
            try await order(self.extraID, customer, target)
            // Same value, same time: only its life is another.
            let cart = try await self.cart(customer, source)
            try await target.query(
                "INSERT INTO shop.carts (id, contents) VALUES (\(customer), '\(cart.contents)') "
                    + "USING TIMESTAMP \(cart.writetime) AND TTL \(2 * Shop.cartSeconds)"
            )
        }
        var outcome = MigrationOutcome()
        let rows = try await self.rowsLeft(scene)
        outcome.claim("rows that drifted", rows, is: self.places.count)
        outcome.numbers = ["rows": rows]
        outcome.figure =
            "\(rows) rows: \(self.each) values, \(self.each) rows that the source alone has, \(self.each) that the target "
            + "alone has, \(self.each) lives"
        return outcome
    }

    /// How many of the rows still differ, by the nodes themselves.
    static func rowsLeft(_ scene: MigrationStory.Scene) async throws -> Int {
        var left = 0
        for customer in self.customers {
            for text in [
                "SELECT name FROM shop.customers WHERE id = \(customer)",
                "SELECT note FROM shop.orders WHERE customer = \(customer) AND id = \(self.missingID)",
                "SELECT note FROM shop.orders WHERE customer = \(customer) AND id = \(self.extraID)",
            ] where try await self.answer(text, scene.sessions.source) != self.answer(text, scene.sessions.target) {
                left += 1
            }
            let (one, other) = (
                try await self.cart(customer, scene.sessions.source),
                try await self.cart(customer, scene.sessions.target)
            )
            if abs(one.seconds - other.seconds) > Int32(Shop.cartSeconds) / 2 { left += 1 }
        }
        return left
    }

    /// The rows that the source alone had are part of the truth now.
    static func adopt(_ ledger: ShopLedger) {
        for customer in self.customers {
            ledger.adopted(.order(customer: customer, id: self.missingID), self.stranger)
        }
    }

    private static func answer(_ text: String, _ session: CQLSession) async throws -> String? {
        try await session.query(text, isIdempotent: true).rows?.first { _ in true }?.text(at: 0)
    }

    private static func cart(_ id: Int32, _ session: CQLSession) async throws -> (
        contents: String, writetime: Int64, seconds: Int32
    ) {
        let text = "SELECT contents, writetime(contents), ttl(contents) FROM shop.carts WHERE id = \(id)"
        guard let row = try await session.query(text, isIdempotent: true).rows?.first(where: { _ in true }),
            case .bigint(let writetime) = try row.value(at: 1), case .int(let seconds) = try row.value(at: 2)
        else { throw DemoStage.Failure(description: "cart \(id) is not there") }
        return (try row.text(at: 0), writetime, seconds)
    }
}
