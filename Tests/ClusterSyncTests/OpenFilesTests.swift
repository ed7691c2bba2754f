import Testing

@testable import ClusterSync

struct OpenFilesTests {
    @Test(arguments: [
        (limit: 1_048_576, clients: 4_096), (limit: 4_416, clients: 4_096), (limit: 4_415, clients: 4_095),
        (limit: 1_024, clients: 704), (limit: 256, clients: 64), (limit: 64, clients: 1),
    ])
    func `clients leave room for what the sidecar itself must open`(limit: Int, clients: Int) {
        #expect(OpenFiles.clients(wanted: 4_096, refusals: 64, limit: limit) == clients)
    }
}
