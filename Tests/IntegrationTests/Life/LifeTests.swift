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
        #expect(account.errors == [])
        // How many in a second is the machine's business; that none of them hangs is the sidecar's.
        #expect(account.requests > 10 * Self.seconds && account.visitors > 0 && account.modeChanges > 0)
        #expect(account.events.values.allSatisfy { $0 > 0 } && account.events.count == 8)
        let (early, late) = try (#require(account.early), #require(account.late))
        #expect(late.kilobytes < early.kilobytes + Account.growthKilobytesMax, "the sidecar's memory")
        #expect(late.descriptors < early.descriptors + Account.growthDescriptorsMax, "the sidecar's open files")
    }
}
