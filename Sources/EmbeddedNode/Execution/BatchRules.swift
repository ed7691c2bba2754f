import CQLSyntax

/// What may stand together in a batch.
enum BatchRules {
    static func check(_ results: [MutationBuilder.Result], _ kind: BatchStatement.Kind) throws {
        let mutations = results.flatMap(\.mutations)
        let counters = mutations.filter { $0.table.isCounter }.count
        switch kind {
        case .counter:
            guard counters == mutations.count else {
                throw NodeError.invalid("Cannot include non-counter statement in a counter batch")
            }
        case .logged:
            guard counters == 0 else { throw NodeError.invalid("Cannot include a counter statement in a logged batch") }
        case .unlogged:
            guard counters == 0 || counters == mutations.count else {
                throw NodeError.invalid("Counter and non-counter mutations cannot exist in the same batch")
            }
        }
        guard results.contains(where: { $0.check != nil }), let first = mutations.first else { return }
        guard mutations.allSatisfy({ $0.table === first.table }) else {
            throw NodeError.invalid("Batch with conditions cannot span multiple tables")
        }
        guard mutations.allSatisfy({ $0.key == first.key }) else {
            throw NodeError.invalid("Batch with conditions cannot span multiple partitions")
        }
    }

    /// The USING clause of a child.
    static func using(_ statement: Statement) -> UsingClause? {
        switch statement {
        case .insert(let insert): insert.using
        case .update(let update): update.using
        case .delete(let delete): delete.using
        default: nil
        }
    }
}
