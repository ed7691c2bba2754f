import CQLSyntax
import DualWriteCore
import Testing

struct RoutePlanTests {
    private static let modes = WriteMode.allCases

    /// The rows of DESIGN §5, one plan per mode.
    @Test(arguments: [
        (
            RequestKind.read,
            [
                RoutePlan.single(.source), .single(.source), .single(.source), .single(.target), .single(.target),
            ]
        ),
        (.systemWrite, [.single(.source), .single(.source), .single(.source), .single(.target), .single(.target)]),
        (.systemRead, [.single(.source), .single(.source), .single(.source), .single(.target), .single(.target)]),
        (.virtualTable, [.proxy, .proxy, .proxy, .proxy, .proxy]),
        (.use, [.proxy, .proxy, .proxy, .proxy, .proxy]),
        (
            .plainWrite,
            [
                .single(.source), .ship(primary: .source, copy: .repeatable), .join(primary: .source),
                .ship(primary: .target, copy: .repeatable), .single(.target),
            ]
        ),
        (
            .conditional,
            [
                .single(.source), .ship(primary: .source, copy: .outcome), .sequence(primary: .source, copy: .outcome),
                .ship(primary: .target, copy: .outcome), .single(.target),
            ]
        ),
        (
            .counterWrite,
            [
                .single(.source), .ship(primary: .source, copy: .once), .join(primary: .source),
                .ship(primary: .target, copy: .once), .single(.target),
            ]
        ),
        (
            .nonIdempotentWrite,
            [
                .single(.source), .ship(primary: .source, copy: .once), .join(primary: .source),
                .ship(primary: .target, copy: .once), .single(.target),
            ]
        ),
        (
            .notUnderstood,
            [
                .single(.source), .ship(primary: .source, copy: .once), .join(primary: .source),
                .ship(primary: .target, copy: .once), .single(.target),
            ]
        ),
        (
            .truncate,
            [
                .single(.source), .ship(primary: .source, copy: .fence), .join(primary: .source),
                .ship(primary: .target, copy: .fence), .single(.target),
            ]
        ),
        (
            .schemaChange,
            [
                .single(.source), .sequence(primary: .source, copy: .fence), .sequence(primary: .source, copy: .fence),
                .sequence(primary: .target, copy: .fence), .single(.target),
            ]
        ),
        (.access, [.single(.source), .single(.source), .single(.source), .single(.target), .single(.target)]),
    ])
    func `each kind goes where the design's table says`(kind: RequestKind, plans: [RoutePlan]) {
        #expect(Self.modes.map { RoutePlan(kind: kind, mode: $0, policy: StatementPolicy()) } == plans)
    }

    @Test func `a refused schema change names its policy in every mode`() {
        for mode in Self.modes {
            let plan = RoutePlan(kind: .schemaChange, mode: mode, policy: StatementPolicy(schemaChanges: .refuse))
            guard case .refuse(let text) = plan else {
                Issue.record("\(mode) gives \(plan)")
                continue
            }
            #expect(text.contains("ddl"))
        }
    }

    @Test func `roles go to both clusters on request`() {
        let policy = StatementPolicy(access: .both)
        #expect(
            RoutePlan(kind: .access, mode: .dualWriteAsync, policy: policy)
                == .sequence(primary: .source, copy: .fence)
        )
        #expect(RoutePlan(kind: .access, mode: .targetOnly, policy: policy) == .single(.target))
    }

    @Test func `a batch is as delicate as its most delicate child`() {
        #expect(RequestKind.batch(of: [.plainWrite, .plainWrite], isCounter: false) == .plainWrite)
        #expect(RequestKind.batch(of: [.plainWrite, .nonIdempotentWrite], isCounter: false) == .nonIdempotentWrite)
        #expect(RequestKind.batch(of: [.nonIdempotentWrite, .conditional], isCounter: false) == .conditional)
        #expect(RequestKind.batch(of: [.conditional, .nonIdempotentWrite], isCounter: false) == .conditional)
        #expect(RequestKind.batch(of: [.plainWrite], isCounter: true) == .counterWrite)
        #expect(RequestKind.batch(of: [.nonIdempotentWrite, .counterWrite], isCounter: true) == .counterWrite)
        #expect(RequestKind.batch(of: [.counterWrite, .plainWrite], isCounter: false) == .counterWrite)
        #expect(RequestKind.batch(of: [.counterWrite, .nonIdempotentWrite], isCounter: false) == .nonIdempotentWrite)
        #expect(RequestKind.batch(of: [], isCounter: false) == .plainWrite)
        #expect(RequestKind.batch(of: [.plainWrite, .read], isCounter: false) == nil)
    }
}
