import DualWriteCore
import FoundationEssentials
import Operations
import Testing

@testable import ClusterSync

/// What commands about several sidecars decide.
struct ReplicaTests {
    @Test(arguments: [
        ("http://10.0.0.1:8080", "10.0.0.1", "10.0.0.1"), ("https://[fd00::1]:8080/x", "[fd00::1]", "fd00::1"),
        ("http://user@sidecars.shop.svc", "sidecars.shop.svc", "sidecars.shop.svc"), ("http://h?x=[", "h", "h"),
    ])
    func `the host of an endpoint is what is looked up`(base: String, written: String, plain: String) {
        let host = ReplicaAddresses.host(of: base)
        #expect(host?.written == written && host?.plain == plain)
    }

    @Test func `an endpoint without a host is left to the request to refuse`() {
        #expect(ReplicaAddresses.host(of: "http://:80") == nil)
        #expect(ReplicaAddresses.host(of: "http://[fd00::1") == nil)
    }

    @Test(arguments: [
        (["10.0.0.2", "10.0.0.1", "10.0.0.2"], ["10.0.0.1", "10.0.0.2"]),
        // One of each family is one machine, as localhost is.
        (["127.0.0.1", "::1"], []), (["10.0.0.1"], []), ([], []),
        // Pods with addresses of both families are not asked twice.
        (["10.0.0.1", "fd00::1", "10.0.0.2", "fd00::2"], ["10.0.0.1", "10.0.0.2"]),
        (["10.0.0.1", "fd00::1", "fd00::2"], ["fd00::1", "fd00::2"]),
    ])
    func `a name stands for as many replicas as it has addresses of one family`(found: [String], chosen: [String]) {
        #expect(ReplicaAddresses.chosen(found) == chosen)
    }

    @Test func `an address of a name is shown, and can be asked again, in the place of the name`() {
        var client = AdminClient(base: "http://sidecars:8080", token: nil)
        client.address = "fd00::1"
        #expect(client.name == "http://[fd00::1]:8080" && client.endpoint == client.name)
        var secure = AdminClient(base: "https://sidecars:8080", token: nil)
        secure.address = "10.0.0.1"
        // Its certificate holds the name.
        #expect(secure.name == "https://sidecars:8080 (10.0.0.1)" && secure.endpoint == "https://sidecars:8080")
    }

    @Test func `replicas step back before others step forward, the farthest first, and who is there stays`() {
        let modes: [WriteMode] = [.primaryOnly, .dualWriteSync, .targetOnly, .shadowPrimary, .dualWriteAsync]
        #expect(PhaseWalk.order(modes, to: .dualWriteSync) == [2, 3, 0, 4])
        #expect(PhaseWalk.order(modes, to: .primaryOnly) == [2, 3, 1, 4])
        #expect(PhaseWalk.order([.primaryOnly, .primaryOnly], to: .dualWriteAsync) == [0, 1])
        #expect(PhaseWalk.order([.targetOnly], to: .targetOnly) == [])
    }

    @Test func `a command that is to be repeated can be pasted into a shell`() {
        let words = ["cluster-sync", "phase", "set", "2", "--reason", "it's $(late)", "--force"]
        #expect(
            PhaseWalk.command(words, endpoints: ["http://a:1", "http://[::1]:2", "http://a:1"])
                == #"cluster-sync phase set 2 --reason 'it'\''s $(late)' --force --endpoint http://a:1 --endpoint http://[::1]:2"#
        )
        #expect(PhaseWalk.command([""], endpoints: []) == "''")
    }

    @Test func `answers of several are one JSON document in which each stands as it was given`() throws {
        let client = AdminClient(base: "http://a", token: nil)
        let data = try DocumentCoding.encode(["words": "two\nlines \"quoted\""])
        let answers: [ReplicaAnswer<[String: String]>] = [
            .init(replica: client, result: .success(([:], data))),
            .init(replica: client, result: .failure(.init(code: Exit.unavailable, message: "no\n\"answer\""))),
        ]
        struct Document: Decodable, Equatable {
            struct Fault: Decodable, Equatable {
                let exitCode: Int
                let message: String
            }
            struct Replica: Decodable, Equatable {
                let endpoint: String
                var answer: [String: String]?
                var error: Fault?
            }
            let replicas: [Replica]
        }
        let text = ReplicaDocument.text(answers)
        #expect(
            try DocumentCoding.decode(Document.self, from: Data(text.utf8)).replicas == [
                .init(endpoint: "http://a", answer: ["words": "two\nlines \"quoted\""]),
                .init(endpoint: "http://a", error: .init(exitCode: 69, message: "no\n\"answer\"")),
            ]
        )
    }

    @Test func `replicas in different modes are told apart by number`() {
        #expect(ReplicaPhaseText.disagreement(["PrimaryOnly", "PrimaryOnly"]) == nil)
        let words = ReplicaPhaseText.disagreement(["PrimaryOnly", "DualWriteAsync", "PrimaryOnly"])
        #expect(words?.contains("1 in DualWriteAsync, 2 in PrimaryOnly") == true)
    }
}

/// How a sidecar that was told to end is judged by what it said last.
struct DrainWaitTests {
    private static func document(owed: Int, journalled: Bool) -> DrainDocument {
        DrainDocument(wasDraining: false, deadlineMs: 1_000, clients: 1, owed: owed, journalled: journalled)
    }

    private static func status(uptime: Double, owed: Int) -> StatusDocument {
        var leg = StatusDocument.Leg(cluster: "target", role: "shadow", hosts: [])
        leg.shadowQueued = owed
        return StatusDocument(
            service: "dual-writer",
            version: "1",
            uptimeSeconds: uptime,
            listen: "",
            mode: "DualWriteAsync",
            epoch: 1,
            readiness: .ready,
            draining: true,
            clients: 0,
            journalled: true,
            legs: [leg]
        )
    }

    @Test func `silence before the deadline is a good end where nothing is left in memory`() {
        #expect(DrainWait(Self.document(owed: 0, journalled: false)).silent(after: 500) == .ended)
        #expect(DrainWait(Self.document(owed: 9, journalled: true)).silent(after: 500) == .ended)
        let lost = DrainWait(Self.document(owed: 9, journalled: false)).silent(after: 500)
        #expect(lost.failure("a")?.code == Exit.undelivered && lost.failure("a")?.message.contains("9 writes") == true)
    }

    @Test func `silence at the deadline means that something was left`() {
        let end = DrainWait(Self.document(owed: 0, journalled: true)).silent(after: 1_000)
        #expect(end.failure("a")?.code == Exit.undelivered)
    }

    @Test func `what was owed when it was heard last counts, and another process is an end`() {
        var wait = DrainWait(Self.document(owed: 9, journalled: false))
        #expect(wait.heard(Self.status(uptime: 50, owed: 0), after: 100) == nil)
        #expect(wait.silent(after: 200) == .ended)
        #expect(wait.heard(Self.status(uptime: 0.1, owed: 4), after: 300) == .ended)
        #expect(wait.heard(Self.status(uptime: 60, owed: 0), after: 11_001) == .stillThere)
    }
}
