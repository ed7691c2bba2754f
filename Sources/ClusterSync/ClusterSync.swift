import ArgumentParser

@main
struct ClusterSync: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "cluster-sync")
}
