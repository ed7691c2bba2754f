import Preflight

/// What a preflight has come to, as scripts get it.
struct PreflightReport: Encodable, Sendable {
    /// What the target lacks.
    struct Creation: Encodable, Sendable {
        enum Outcome: String, Encodable, Sendable {
            case shown, created, refused
        }

        struct Item: Encodable, Sendable {
            var kind: String
            var name: String
            var statement: String
            /// What has become of it.
            var outcome: Outcome
            /// Why the target has refused it; absent where it has not.
            var error: String?
        }

        /// The statements in their order.
        var items: [Item]
        /// What is missing and is not made by itself.
        var refusals: [MissingSchema.Refusal]

        init(_ missing: MissingSchema) {
            self.items = missing.items.map {
                Item(kind: $0.kind, name: $0.name, statement: $0.statement, outcome: .shown)
            }
            self.refusals = missing.refusals
        }
    }

    /// Whether nothing blocks.
    var ok: Bool
    /// What blocks first.
    var findings: [Finding]
    /// The steps of the migration.
    var plan: [String]
    /// Absent where nothing was to be created.
    var creation: Creation?

    init(_ rules: PreflightRules, creation: Creation?) {
        let findings = rules.findings()
        let isRefused = creation?.items.contains { $0.outcome == .refused } ?? false
        self.ok = !isRefused && !findings.contains { $0.severity == .blocks }
        self.findings = findings
        self.plan = MigrationPlan(findings).steps
        self.creation = creation
    }
}
