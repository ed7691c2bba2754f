import CQLProtocol
import Testing

@testable import CQLClient
@testable import LiveTables
@testable import SSTableLoader

/// What is done about a request that failed.
struct RetryPolicyTests {
    private static let policy = RetryPolicy(attemptsMax: 5, pauseMin: .milliseconds(100), pauseMax: .seconds(1))

    private static func verdict(
        _ code: ErrorCode,
        isIdempotent: Bool = true,
        attempt: Int = 1
    ) -> RetryPolicy.Verdict {
        let error = CQLSessionError(
            .refused,
            "\(code)",
            serverError: ErrorMessage(code, "why"),
            isSafeToRetry: isIdempotent
        )
        return Self.policy.verdict(on: error, isIdempotent: isIdempotent, attempt: attempt, random: 0.5)
    }

    @Test func `the pause doubles up to its limit, and the number of attempts has one`() {
        let pauses = (1..<5).map { Self.verdict(.overloaded, attempt: $0) }
        #expect(pauses == [75, 150, 300, 600].map { .again(after: .milliseconds($0)) })
        #expect(Self.verdict(.overloaded, attempt: 5) == .giveUp("OVERLOADED, 5 times"))
    }

    @Test(arguments: [ErrorCode.overloaded, .unavailable, .isBootstrapping])
    func `what was not executed may be sent again, idempotent or not`(_ code: ErrorCode) {
        for isIdempotent in [true, false] {
            #expect(Self.verdict(code, isIdempotent: isIdempotent) == .again(after: .milliseconds(75)))
        }
    }

    @Test(arguments: [ErrorCode.writeTimeout, .writeFailure, .serverError])
    func `what may have been executed is sent again only where that does no harm`(_ code: ErrorCode) {
        #expect(Self.verdict(code) == .again(after: .milliseconds(75)))
        #expect(Self.verdict(code, isIdempotent: false) == .bury("its outcome is not known: \(code)"))
    }

    @Test(arguments: [ErrorCode.invalid, .syntaxError, .configError])
    func `what is refused for good is buried`(_ code: ErrorCode) { #expect(Self.verdict(code) == .bury("\(code)")) }

    @Test func `a user who may not write stops everything`() {
        #expect(Self.verdict(.unauthorized) == .giveUp("UNAUTHORIZED"))
    }

    @Test func `a request that was never sent may be sent, whatever it is`() {
        for (isSafe, expected) in [
            (true, RetryPolicy.Verdict.again(after: .milliseconds(75))),
            (false, .bury("its outcome is not known: late")),
        ] {
            let error = CQLSessionError(.timeout, "late", isSafeToRetry: isSafe)
            #expect(Self.policy.verdict(on: error, isIdempotent: false, attempt: 1, random: 0.5) == expected)
        }
    }
}
