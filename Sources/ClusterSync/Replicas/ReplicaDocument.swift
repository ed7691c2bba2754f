import ArgumentParser
import FoundationEssentials
import Operations

/// What `--json` prints of several replicas: one document with an array, in which each answer stands as the replica gave it.
///
///     {"replicas": [{"endpoint": "http://10.0.0.1:8080", "answer": {…}},
///                   {"endpoint": "http://10.0.0.2:8080", "error": {"exit_code": 69, "message": "…"}}]}
enum ReplicaDocument {
    /// - Parameter top: members before the array, as names and JSON values.
    static func text<Document>(
        _ answers: [ReplicaAnswer<Document>],
        _ top: KeyValuePairs<String, String> = [:]
    ) -> String {
        let entries = answers.map { answer in
            let fate: String
            switch answer.result {
            case .success((_, let data)):
                // An answer is JSON, and no string of JSON holds a line feed: indenting its lines leaves it what it is.
                let lines = String(decoding: data, as: UTF8.self).split(separator: "\n").joined(separator: "\n      ")
                fate = "\"answer\" : \(lines)"
            case .failure(let failure):
                fate = "\"error\" : \(self.json(["exit_code": "\(failure.code.rawValue)"], failure.message))"
            }
            return "    {\n      \(fate),\n      \"endpoint\" : \(self.string(answer.replica.name))\n    }"
        }
        let members = top.map { "  \(self.string($0.key)) : \($0.value),\n" }.joined()
        return "{\n\(members)  \"replicas\" : [\n\(entries.joined(separator: ",\n"))\n  ]\n}\n"
    }

    private static func json(_ members: KeyValuePairs<String, String>, _ message: String) -> String {
        let numbers = members.map { "\(self.string($0.key)) : \($0.value), " }.joined()
        return "{ \(numbers)\"message\" : \(self.string(message)) }"
    }

    /// A text as a JSON string.
    static func string(_ text: String) -> String {
        guard let data = try? DocumentCoding.encodeLine(text) else {
            preconditionFailure("a text could not be written as JSON")
        }
        return String(decoding: data, as: UTF8.self)
    }
}
