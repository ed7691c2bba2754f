import ArgumentParser
import FoundationEssentials
import Operations

/// What one replica has answered.
struct ReplicaAnswer<Document: Sendable>: Sendable {
    let replica: AdminClient
    /// The document beside its bytes as they came, or why there is none.
    let result: Result<(Document, Data), AdminFailure>

    var document: Document? { try? self.result.get().0 }

    var failure: AdminFailure? {
        guard case .failure(let failure) = self.result else { return nil }
        return failure
    }
}

/// The replicas that a command is about.
struct ReplicaSet: Sendable {
    /// Replicas that one command asks at most.
    static var countMax: Int { 256 }

    let clients: [AdminClient]
    let json: Bool

    init(_ clients: [AdminClient], json: Bool) throws {
        guard clients.count <= Self.countMax else {
            throw fail(
                Exit.usage,
                "\(clients.count) endpoints are more than the \(Self.countMax) that are asked at once"
            )
        }
        self.clients = clients
        self.json = json
    }

    /// Some of a set.
    init(of set: ReplicaSet, _ clients: [AdminClient]) {
        self.clients = clients
        self.json = set.json
    }

    /// The replica of a command that was given one; nil where there are several.
    var only: AdminClient? { self.clients.count == 1 ? self.clients.first : nil }

    /// Asks all of them at once; the answers are in the order of the endpoints.
    func ask<Document: Decodable & Sendable>(
        _ path: String,
        as type: Document.Type
    ) async -> [ReplicaAnswer<Document>] {
        await self.each { client async throws(AdminFailure) in try await client.ask(path, as: type) }
    }

    /// Does the same with all of them at once; the answers are in the order of the endpoints.
    func each<Document: Sendable>(
        _ body: @escaping @Sendable (AdminClient) async throws(AdminFailure) -> (Document, Data)
    ) async -> [ReplicaAnswer<Document>] {
        await withTaskGroup(of: (Int, ReplicaAnswer<Document>).self) { group in
            for (index, client) in self.clients.enumerated() {
                group.addTask {
                    do throws(AdminFailure) {
                        return (index, ReplicaAnswer(replica: client, result: .success(try await body(client))))
                    } catch {
                        return (index, ReplicaAnswer(replica: client, result: .failure(error)))
                    }
                }
            }
            var answers: [(Int, ReplicaAnswer<Document>)] = []
            for await answer in group { answers.append(answer) }
            return answers.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    /// Shows what a command that only reads has found: one sidecar as ever; of several, one document or one text for all, and
    /// on standard error those that did not answer.
    ///
    /// - Parameters:
    ///   - one: the text of one sidecar's document.
    ///   - several: the text of all of them.
    ///   - holds: whether a document is good news.
    /// - Throws: the exit code where something failed or is no good news.
    func show<Document: Decodable & Sendable>(
        _ path: String,
        as type: Document.Type,
        one: (Document, Style) -> String,
        several: ([ReplicaAnswer<Document>], Style) -> String,
        holds: (Document) -> Bool = { _ in true },
        agree: ([Document]) -> Bool = { _ in true }
    ) async throws {
        if let only {
            let (document, data) = try await only.get(path, as: type)
            if self.json {
                Output.text(String(decoding: data, as: UTF8.self))
            } else {
                Output.line(one(document, .standardOutput()))
            }
            if !holds(document) { throw Exit.negative }
            return
        }
        let answers = await self.ask(path, as: type)
        if self.json {
            Output.text(ReplicaDocument.text(answers))
        } else {
            Output.line(several(answers, .standardOutput()))
            ReplicaText.tell(answers)
        }
        try Self.finish(answers, holds: holds, agree: agree)
    }

    /// Ends a command about several replicas: the largest of their exit codes.
    static func finish<Document>(
        _ answers: [ReplicaAnswer<Document>],
        holds: (Document) -> Bool = { _ in true },
        agree: ([Document]) -> Bool = { _ in true }
    ) throws {
        let documents = answers.compactMap(\.document)
        var code = answers.compactMap { $0.failure?.code.rawValue }.max() ?? 0
        if code == 0, !documents.allSatisfy(holds) || !agree(documents) { code = Exit.negative.rawValue }
        if code != 0 { throw ExitCode(code) }
    }
}

/// The words that commands about several replicas have in common.
enum ReplicaText {
    /// Says on standard error which replicas did not answer, and why.
    static func tell<Document>(_ answers: [ReplicaAnswer<Document>]) {
        let failed = answers.filter { $0.failure != nil }
        guard !failed.isEmpty else { return }
        Output.error("cluster-sync: \(failed.count) of \(Human.many(answers.count, "replica")) failed:")
        for answer in failed {
            Output.error("  \(answer.replica.name): \(self.indented(answer.failure?.message ?? ""))")
        }
    }

    /// A message whose later lines stand below its first one.
    static func indented(_ message: String) -> String {
        message.split(separator: "\n", omittingEmptySubsequences: false).joined(separator: "\n    ")
    }

    /// A text of each replica below its name, for what has no common table.
    static func sections<Document>(
        _ answers: [ReplicaAnswer<Document>],
        _ style: Style,
        _ text: (Document, Style) -> String
    ) -> String {
        answers.compactMap { answer in
            answer.document.map { "\(style.bold(answer.replica.name))\n\(text($0, style))" }
        }.joined(separator: "\n\n")
    }
}
