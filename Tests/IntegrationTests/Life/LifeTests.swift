import Testing

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#else
import Darwin
#endif

/// A long life in a short time: nodes restart and forget, certificates and passwords rotate, modes flip, schemas change, clients come
/// and go, all at once. No application sees an error; nothing in the sidecar grows.
///
/// CLUSTER_SYNC_LIFE_SECONDS makes it longer than the ten seconds of every day.
@Suite(.serialized, .timeLimit(.minutes(60)))
struct LifeTests {
    private static let seconds = getenv("CLUSTER_SYNC_LIFE_SECONDS").flatMap { Int(String(cString: $0)) } ?? 10

    @Test func `a life`() async throws {
        let life = try await Life()
        try await life.run(for: .seconds(Self.seconds))
        let account = life.account
        print(account)
        // Not mended yet: a write whose node is killed is told as a timeout now and then, nine times in a life of 220 seconds. The
        // short life of every day bears a few of these and nothing else; a longer one none.
        let isKnown: (String) -> Bool = { $0.contains("connection lost before the answer") }
        #expect(account.errors.filter { !isKnown($0) } == [])
        #expect(account.errors.count(where: isKnown) <= (Self.seconds <= 10 ? 2 : 0), "\(account.errors)")
        // How many in a second is the machine's business; that none of them hangs is the sidecar's.
        #expect(account.requests > 10 * Self.seconds && account.visitors > 0 && account.modeChanges > 0)
        #expect(account.events.values.allSatisfy { $0 > 0 } && account.events.count == 8)
        let (early, late) = try (#require(account.early), #require(account.late))
        #expect(late.kilobytes < early.kilobytes + Account.growthKilobytesMax, "the sidecar's memory")
        #expect(late.descriptors < early.descriptors + Account.growthDescriptorsMax, "the sidecar's open files")
    }
}
