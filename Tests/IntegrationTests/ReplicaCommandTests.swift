import FoundationEssentials
import TestSupport
import Testing

/// The command line beside several sidecars.
struct ReplicaCommandTests {
    private struct Replicas: Decodable {
        struct Replica: Decodable {
            struct Answer: Decodable { let mode: String }
            struct Failure: Decodable {
                let exit_code: Int
                let message: String
            }
            let endpoint: String
            let answer: Answer?
            let error: Failure?
        }
        let replicas: [Replica]

        init(of text: String) throws { self = try JSONDecoder().decode(Self.self, from: Data(text.utf8)) }
        init(from decoder: any Decoder) throws {
            self.replicas = try decoder.container(keyedBy: Key.self).decode([Replica].self, forKey: .replicas)
        }
        enum Key: String, CodingKey { case replicas }
    }

    @Test func `all replicas are shown in one table, and one that is away is told and is a failure`() async throws {
        let group = try await SidecarGroup(3)
        let status = try await group.command("status")
        #expect(status.code == 0, "\(status.output)\(status.errors)")
        for admin in group.admins { #expect(status.output.contains(admin)) }
        #expect(status.output.ranges(of: "PrimaryOnly").count == 3)
        for command in [
            ["phase", "show"], ["audit"], ["filters"], ["tables"], ["journal", "dead-letters"], ["journal", "dirty"],
        ] {
            let words = command + group.admins.flatMap { ["--endpoint", $0] }
            let result = try await ChildProcess.run(words)
            #expect(result.code == 0 && result.errors.isEmpty, "\(command): \(result.output)\(result.errors)")
            let json = try await ChildProcess.run(words + ["--json"])
            #expect(json.code == 0 && json.output.ranges(of: "\"endpoint\"").count == 3, "\(command): \(json.output)")
        }
        group.sidecars[1].signal(9)
        _ = await group.sidecars[1].result()
        let partly = try await group.command("status")
        #expect(partly.code == 69)
        #expect(partly.output.contains("no answer") && partly.output.ranges(of: "PrimaryOnly").count == 2)
        #expect(partly.errors.contains("1 of 3 replicas failed") && partly.errors.contains(group.admins[1]))
        let document = try Replicas(of: try await group.command("status", "--json").output)
        #expect(document.replicas.map(\.endpoint) == group.admins)
        #expect(document.replicas.map(\.answer?.mode) == ["PrimaryOnly", nil, "PrimaryOnly"])
        #expect(document.replicas[1].error?.exit_code == 69)
        await group.stop()
    }

    @Test func `modes are set one replica after the other, all or none of them where one is away`() async throws {
        let group = try await SidecarGroup(3)
        let set = try await group.command("phase", "set", "DualWriteAsync", "--reason", "begin")
        #expect(set.code == 0, "\(set.errors)")
        #expect(set.errors.contains("3/3 ") && set.output.ranges(of: "DualWriteAsync (1)").count == 3)
        // Who is there already is left alone.
        #expect(try await group.command("phase", "set", "2", to: [0]).code == 0)
        let apart = try await group.command("phase", "show")
        #expect(
            apart.code == 1 && apart.output.contains("not in one write mode: 1 in DualWriteSync, 2 in DualWriteAsync")
        )
        let rollback = try await group.command("phase", "rollback", "--reason", "no")
        #expect(rollback.code == 1 && rollback.errors.contains("nothing was changed"))
        let on = try await group.command("phase", "set", "2", "--json")
        #expect(on.code == 0 && on.errors.contains("2/2 ") && !on.errors.contains(group.admins[0]))
        #expect(try Replicas(of: on.output).replicas.map(\.answer?.mode) == Array(repeating: "DualWriteSync", count: 3))
        // A gate stands against the next one on each.
        let refused = try await group.command("phase", "set", "ShadowPrimary")
        #expect(refused.code == 1 && refused.errors.contains("Nothing was changed"))
        #expect(refused.errors.ranges(of: "bulk_load").count >= 3)
        let back = try await group.command("phase", "rollback", "--reason", "not today")
        #expect(back.code == 0 && back.output.ranges(of: "DualWriteAsync (1)").count == 3, "\(back.errors)")
        let audit = try await group.command("audit")
        #expect(audit.output.ranges(of: "not today").count == 3)
        group.sidecars[2].signal(9)
        _ = await group.sidecars[2].result()
        let away = try await group.command("phase", "set", "DualWriteSync")
        #expect(away.code == 69 && away.errors.contains("Nothing was changed: not every replica answers"))
        let left = try await group.command("phase", "show", to: [0, 1])
        #expect(left.code == 0 && left.output.ranges(of: "DualWriteAsync (1)").count == 2)
        await group.stop()
    }

    @Test func `overrides are set one replica after the other, and where one refuses each says what it has`()
        async throws
    {
        let group = try await SidecarGroup(3)
        func override(_ words: String..., to places: [Int]? = nil) async throws -> ChildProcess.Result {
            let endpoints = (places ?? [0, 1, 2]).flatMap { ["--endpoint", group.admins[$0]] }
            return try await ChildProcess.run(
                ["phase", "override"] + words + endpoints,
                environment: ["CLUSTER_SYNC_ADMIN_TOKEN": SidecarGroup.token]
            )
        }
        let set = try await override("set", "shop.t", "1", "--reason", "a canary")
        #expect(set.code == 0 && set.errors.contains("3/3 ") && set.output.contains("the same on 3 replicas"), "\(set)")
        let list = try await override("list")
        #expect(list.code == 0 && list.output.contains("shop.t  DualWriteAsync"), "\(list.output)")
        // One goes back alone, and would have to go two steps now.
        #expect(try await override("remove", "shop.t", "--reason", "why", to: [1]).code == 0)
        let apart = try await override("list")
        #expect(apart.code == 1 && apart.output.contains("have not the same overrides"), "\(apart.output)")
        let stopped = try await override("set", "shop.t", "DualWriteSync", "--reason", "it's time")
        #expect(stopped.code == 1 && stopped.errors.contains("stopped at \(group.admins[1]), after 1 of 3"))
        #expect(stopped.errors.contains("cannot go from PrimaryOnly to DualWriteSync"), "\(stopped.errors)")
        let reason = "--reason 'it'\\''s time'"
        #expect(
            stopped.errors.contains(
                "cluster-sync phase override set shop.t DualWriteAsync \(reason) --endpoint \(group.admins[0])"
            )
        )
        for words in ["DualWriteSync", "all tables are in PrimaryOnly", "DualWriteAsync"] {
            #expect(stopped.output.contains(words), "\(stopped.output)")
        }
        // Who has nothing to remove is left alone.
        #expect(try await override("set", "shop.t", "1", "--reason", "back", to: [0]).code == 0)
        let removed = try await override("remove", "shop.t", "--reason", "enough", "--json")
        #expect(removed.code == 0 && removed.errors.contains("2/2 ") && removed.output.contains("\"endpoint\""))
        let nothing = try await override("remove", "shop.t", "--reason", "enough")
        #expect(nothing.code == 64 && nothing.errors.contains("has no override"))
        group.sidecars[2].signal(9)
        _ = await group.sidecars[2].result()
        let away = try await override("set", "shop.t", "1", "--reason", "again")
        #expect(away.code == 69 && away.errors.contains("Nothing was changed: not every replica answers"))
        #expect(try await override("list", to: [0, 1]).output.contains("all tables are in PrimaryOnly"))
        await group.stop()
    }

    @Test func `at the first refusal it stops and says how to go on and back`() async throws {
        let group = try await SidecarGroup(2)
        // The second one is asked with the wrong token, so everything but the change itself is answered.
        let words = ["phase", "set", "1", "--reason", "it's time", "--endpoint", group.admins[0]]
        let first = try await ChildProcess.run(words + ["--token", SidecarGroup.token])
        #expect(first.code == 0)
        let wrong = try await ChildProcess.run(
            ["phase", "set", "2", "--reason", "it's time", "--token", "wrong", "--force"]
                + group.admins.flatMap { ["--endpoint", $0] }
        )
        #expect(wrong.code == 77)
        #expect(wrong.errors.contains("stopped at \(group.admins[1]), after 0 of 2"))
        #expect(
            wrong.errors.contains(
                "cluster-sync phase set DualWriteSync --force --reason 'it'\\''s time' --endpoint \(group.admins[0]) "
                    + "--endpoint \(group.admins[1])"
            )
        )
        await group.stop()
    }

    @Test func `a drain ends a sidecar in order, and is waited for`() async throws {
        let group = try await SidecarGroup(2)
        #expect(try await ChildProcess.run(["drain", "--endpoint", group.admins[0], "--token", "wrong"]).code == 77)
        let drained = try await group.command("drain", "--wait", "--reason", "new machine", to: [0])
        #expect(drained.code == 0, "\(drained.errors)")
        #expect(drained.output.contains("has ended"))
        let end = await group.sidecars[0].result()
        #expect(end.code == 0 && end.errors.contains("told to drain and end"))
        let audit = try String(contentsOfFile: "\(group.folder.path)/0/audit.json", encoding: .utf8)
        #expect(audit.contains("new machine") && audit.contains("drain"))
        // The one that is gone is told; the other one ends, too.
        let both = try await group.command("drain")
        #expect(both.code == 69)
        #expect(await group.sidecars[1].result().code == 0)
        await group.stop()
    }
}
