package io.pq32.elasticsearch.node;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.net.ConnectException;
import java.net.URI;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/**
 * One real Elasticsearch with the plugin in it: a copy of the distribution in a temporary folder,
 * listening on free loopback ports, gone with all its files when closed or when this JVM ends, in
 * whatever way.
 *
 * <p>Works as root too: the node then runs as an unprivileged user. Not for concurrent use, except
 * {@link #request}.
 */
public final class ElasticsearchNode implements AutoCloseable {
  /** A cold start takes 10 to 20 seconds of one core; a busy machine gets ten times that. */
  private static final Duration START_TIMEOUT = Duration.ofMinutes(4);

  private static final Duration STOP_TIMEOUT = Duration.ofMinutes(1);
  private static final Duration PLUGIN_TIMEOUT = Duration.ofMinutes(2);
  private static final long POLL_MILLIS = 100;
  private static final long PROGRESS_SECONDS = 5;
  private static final int LOG_TAIL_LINES = 40;

  /** What the file elasticsearch.yml holds for a node that is a cluster of its own. */
  private static final Map<String, String> ALONE = Map.of("discovery.type", "single-node");

  private final Path folder;
  private final Path home;
  private final Path console;
  private final NodeUser user;
  private final Consumer<String> progress;
  private final Guard guard;
  private final Thread cleanup = new Thread(this::destroy, "elasticsearch-cleanup");

  private Process launcher;
  private long launched;
  private volatile RestClient client;

  private ElasticsearchNode(Path folder, NodeUser user, Consumer<String> progress)
      throws IOException {
    this.folder = folder;
    this.home = folder.resolve("elasticsearch");
    this.console = folder.resolve("console.log");
    this.user = user;
    this.progress = progress;
    this.guard = new Guard(folder);
  }

  /** Makes the home of a node in its folder. */
  @FunctionalInterface
  private interface Preparation {
    void prepare(ElasticsearchNode node) throws IOException;
  }

  /**
   * Copies the distribution into a new temporary folder and installs the plugin with the
   * distribution's own {@code elasticsearch-plugin}. The node is not started yet; it will be a
   * cluster of its own.
   *
   * @param distribution unpacked Elasticsearch
   * @param plugin zip of the plugin
   * @param heap of the node, as {@code -Xmx} takes it, for example {@code 1g}
   * @param settings what its file elasticsearch.yml holds beside, or in place of, the usual
   * @param progress is told in a few words what is going on
   */
  public static ElasticsearchNode install(
      Path distribution,
      Path plugin,
      String heap,
      Map<String, String> settings,
      Consumer<String> progress)
      throws IOException {
    Map<String, String> all = new TreeMap<>(ALONE);
    all.putAll(settings);
    requireFile("Elasticsearch distribution", distribution.resolve("bin/elasticsearch"));
    requireFile("plugin zip", plugin);
    return create(
        progress,
        node -> {
          progress.accept("installing Elasticsearch and the plugin in " + node.folder);
          node.user.check(java(), node.folder);
          Folders.copy(distribution, node.home);
          Files.writeString(
              node.home.resolve("config/jvm.options.d/heap.options"),
              "-Xms%1$s%n-Xmx%1$s%n".formatted(heap));
          Files.copy(plugin, node.pluginZip());
          node.configure(all);
          node.installPlugin();
        });
  }

  /**
   * Another node with the same distribution, plugin and heap, not started yet and without data.
   * This one must not have been started before.
   *
   * @param settings what its file elasticsearch.yml holds beside, or in place of, the usual
   */
  public ElasticsearchNode sibling(Map<String, String> settings) throws IOException {
    if (launched != 0) {
      throw new IllegalStateException("this node was started: its home is no longer clean");
    }
    return create(
        progress,
        node -> {
          Folders.copy(home, node.home);
          Files.copy(pluginZip(), node.pluginZip());
          node.configure(settings);
        });
  }

  private static ElasticsearchNode create(Consumer<String> progress, Preparation preparation)
      throws IOException {
    Path folder = Files.createTempDirectory("pq32-node-").toRealPath();
    ElasticsearchNode node = null;
    try {
      node = new ElasticsearchNode(folder, NodeUser.forFolder(folder), progress);
      Runtime.getRuntime().addShutdownHook(node.cleanup);
      node.user.own(folder);
      preparation.prepare(node);
      return node;
    } catch (IOException | RuntimeException e) {
      if (node == null) {
        Folders.delete(folder);
      } else {
        node.close();
      }
      throw e;
    }
  }

  private static void requireFile(String what, Path file) throws IOException {
    if (!Files.isRegularFile(file)) {
      throw new IOException(what + " not found: " + file + " (is the es-plugin module packaged?)");
    }
  }

  private void configure(Map<String, String> settings) throws IOException {
    for (String name : List.of("data", "snapshots", "tmp")) {
      Files.createDirectories(folder.resolve(name));
    }
    Map<String, String> all = new TreeMap<>();
    all.put("cluster.name", "pq32");
    all.put("node.name", "pq32");
    all.put("network.host", "127.0.0.1");
    all.put("http.port", "0");
    all.put("transport.port", "0");
    all.put("node.portsfile", "true");
    all.put("xpack.security.enabled", "false");
    all.put("cluster.routing.allocation.disk.threshold_enabled", "false");
    all.put("path.data", data().toString());
    all.put("path.repo", repository().toString());
    all.putAll(settings);
    Files.write(
        home.resolve("config/elasticsearch.yml"),
        all.entrySet().stream().map(one -> one.getKey() + ": " + one.getValue()).toList());
    user.own(folder);
  }

  /** Installs the plugin again after {@link #removePlugin}; the node must not be running. */
  public void installPlugin() throws IOException {
    plugin("install", "--batch", pluginZip().toUri().toString());
  }

  /** Takes the plugin away; the node must not be running. */
  public void removePlugin() throws IOException {
    plugin("remove", "pq32");
  }

  /**
   * Gives the plugin that {@link #installPlugin} installs another version: its descriptor tells it,
   * and the names of its own jars do.
   */
  public void changePluginVersion(String version) throws IOException {
    try (FileSystem zip = FileSystems.newFileSystem(pluginZip())) {
      Path root = zip.getPath("/");
      Path descriptor = root.resolve("plugin-descriptor.properties");
      String text = Files.readString(descriptor);
      Matcher line = Pattern.compile("^version=(.+)$", Pattern.MULTILINE).matcher(text);
      if (!line.find()) {
        throw new IOException("no version in " + descriptor + " of " + pluginZip());
      }
      String old = line.group(1);
      Files.writeString(descriptor, line.replaceFirst("version=" + version));
      try (DirectoryStream<Path> jars = Files.newDirectoryStream(root, "pq32-*.jar")) {
        for (Path jar : jars) {
          Files.move(jar, jar.resolveSibling(jar.getFileName().toString().replace(old, version)));
        }
      }
    }
  }

  private void plugin(String... arguments) throws IOException {
    requireStopped();
    if (await(run("elasticsearch-plugin", arguments), PLUGIN_TIMEOUT) != 0) {
      throw new IOException("elasticsearch-plugin " + arguments[0] + " failed" + logTail());
    }
    guard.forget();
  }

  /** Starts the node and waits until it answers and has recovered its indices. */
  public void start() throws IOException {
    launch();
    awaitListening();
    awaitHealth("yellow");
  }

  /** Starts the node and waits for nothing. */
  public void launch() throws IOException {
    requireStopped();
    Files.deleteIfExists(ports("http"));
    Files.deleteIfExists(ports("transport"));
    Files.deleteIfExists(pidFile());
    launched = System.nanoTime();
    launcher = run("elasticsearch", "-p", pidFile().toString());
  }

  /** Waits until a launched node listens; it need not have joined its cluster. */
  public void awaitListening() throws IOException {
    awaitThat(() -> Files.exists(ports("http")));
  }

  /**
   * Waits until the cluster of a listening node has at least this status; from then on the node
   * takes requests. Before it has joined its cluster it would answer that there are no indices.
   */
  public void awaitHealth(String status) throws IOException {
    String path = "/_cluster/health?wait_for_status=" + status + "&timeout=1s&master_timeout=1s";
    // One bound address per line, such as 127.0.0.1:41234; the server renames the finished file.
    RestClient found =
        new RestClient(URI.create("http://" + Files.readString(ports("http")).strip()));
    awaitThat(() -> healthy(found, path));
    client = found;
    progress.accept(
        "Elasticsearch answers on %s after %d s".formatted(uri(), secondsSince(launched)));
  }

  /** Something to wait for. */
  @FunctionalInterface
  private interface Condition {
    boolean holds() throws IOException;
  }

  private void awaitThat(Condition condition) throws IOException {
    long told = 0;
    try {
      while (!condition.holds()) {
        told = keepWaiting(launcher, launched, told);
      }
    } catch (IOException | RuntimeException e) {
      destroyProcesses();
      throw e;
    }
  }

  private static boolean healthy(RestClient client, String path) throws IOException {
    try {
      return client.request("GET", path, null).ok();
    } catch (ConnectException _) {
      // The server has just died; its exit code says more than a refused connection.
      return false;
    }
  }

  /** Sleeps a moment, unless there is nothing to wait for; returns the second of the last word. */
  private long keepWaiting(Process process, long start, long told) throws IOException {
    if (!process.isAlive()) {
      throw new IOException(
          "Elasticsearch ended with exit code " + process.exitValue() + logTail());
    }
    long seconds = secondsSince(start);
    if (seconds > START_TIMEOUT.toSeconds()) {
      throw new IOException("Elasticsearch is not up after " + seconds + " s" + logTail());
    }
    pause();
    if (seconds < told + PROGRESS_SECONDS) {
      return told;
    }
    progress.accept("Elasticsearch is starting: " + seconds + " s");
    return seconds;
  }

  /** Ends the node in an orderly way. */
  public void stop() throws IOException {
    requireRunning();
    server().destroy();
    awaitEnd();
  }

  /** Ends the node as a power failure would: nothing is flushed, nothing is told. */
  public void kill9() throws IOException {
    requireRunning();
    server().destroyForcibly();
    awaitEnd();
  }

  private void awaitEnd() throws IOException {
    closeClient();
    await(launcher, STOP_TIMEOUT);
    forgetProcesses();
  }

  private void forgetProcesses() throws IOException {
    launcher = null;
    Files.deleteIfExists(pidFile());
    guard.forget();
  }

  /** Stops the node in an orderly way and starts it again, on another port. */
  public void restart() throws IOException {
    stop();
    start();
  }

  /** Sends one request without a body. */
  public Response request(String method, String path) throws IOException {
    return request(method, path, (String) null);
  }

  /** Sends one request with a JSON body. */
  public Response request(String method, String path, JsonNode json) throws IOException {
    return request(method, path, json.toString());
  }

  /** Sends one request with a body of JSON, or of JSON lines for {@code _bulk}. */
  public Response request(String method, String path, String json) throws IOException {
    return running().request(method, path, json);
  }

  /** Where the node listens, without a slash at the end. */
  public URI uri() {
    return running().node();
  }

  /** Address at which other nodes find this one, which must be listening. */
  public String transportAddress() throws IOException {
    return Files.readString(ports("transport")).strip();
  }

  /** Tells a node whose {@code discovery.seed_providers} is {@code file} where to find others. */
  public void seed(List<String> transportAddresses) throws IOException {
    Files.write(home.resolve("config/unicast_hosts.txt"), transportAddresses);
  }

  /** Process id of the server. */
  public long pid() throws IOException {
    return server().pid();
  }

  /** Folder of the node's indices. */
  public Path data() {
    return folder.resolve("data");
  }

  /** Folder in which snapshot repositories of type {@code fs} may lie. */
  public Path repository() {
    return folder.resolve("snapshots");
  }

  /** The node's memory map, as Linux shows it to the node's own user. */
  public String memoryMap() throws IOException {
    // Root in a container may not look into other users' processes, so the node's user does.
    Process cat =
        new ProcessBuilder(user.command(List.of("cat", "/proc/" + pid() + "/maps")))
            .redirectErrorStream(true)
            .start();
    String maps = new String(cat.getInputStream().readAllBytes());
    if (await(cat, STOP_TIMEOUT) != 0) {
      throw new IOException(maps);
    }
    return maps;
  }

  /** Ends the node, if it runs, and deletes its folder. */
  @Override
  public void close() {
    destroy();
    try {
      Runtime.getRuntime().removeShutdownHook(cleanup);
    } catch (IllegalStateException _) {
      // The JVM is ending: the hook is what called us, or does so next and finds nothing.
    }
  }

  private synchronized void destroy() {
    destroyProcesses();
    try {
      Folders.delete(folder);
      guard.close();
    } catch (IOException e) {
      throw new UncheckedIOException("cannot delete " + folder, e);
    }
  }

  private void destroyProcesses() {
    closeClient();
    Process process = launcher;
    if (process != null) {
      // The launcher is the parent of the server and ends with it; the server may not exist yet.
      List<ProcessHandle> all =
          Stream.concat(process.descendants(), Stream.of(process.toHandle())).toList();
      all.forEach(ProcessHandle::destroyForcibly);
      all.forEach(
          handle ->
              handle.onExit().orTimeout(10, TimeUnit.SECONDS).exceptionally(_ -> handle).join());
      launcher = null;
    }
  }

  private void closeClient() {
    if (client != null) {
      client.close();
      client = null;
    }
  }

  private void requireRunning() {
    running();
  }

  private RestClient running() {
    RestClient current = client;
    if (current == null) {
      throw new IllegalStateException("Elasticsearch is not running");
    }
    return current;
  }

  private void requireStopped() {
    if (launcher != null) {
      throw new IllegalStateException("already started");
    }
  }

  private ProcessHandle server() throws IOException {
    long pid = Long.parseLong(Files.readString(pidFile()).strip());
    return ProcessHandle.of(pid)
        .orElseThrow(() -> new IOException("Elasticsearch has died" + logTail()));
  }

  private Path pidFile() {
    return folder.resolve(Guard.PID_FILE);
  }

  private Path ports(String kind) {
    return home.resolve("logs/" + kind + ".ports");
  }

  private Path pluginZip() {
    return folder.resolve("plugin.zip");
  }

  private static Path java() {
    return Path.of(System.getProperty("java.home"), "bin", "java");
  }

  /** Starts one of the distribution's commands; what it says goes to the console file. */
  private Process run(String command, String... arguments) throws IOException {
    List<String> line = new ArrayList<>();
    line.add(home.resolve("bin").resolve(command).toString());
    line.addAll(List.of(arguments));
    ProcessBuilder builder =
        new ProcessBuilder(user.command(line))
            .directory(folder.toFile())
            .redirectErrorStream(true)
            .redirectOutput(console.toFile());
    Map<String, String> environment = builder.environment();
    environment.keySet().removeIf(name -> name.startsWith("ES_") || name.contains("JAVA"));
    environment.put("ES_JAVA_HOME", System.getProperty("java.home"));
    environment.put("ES_TMPDIR", folder.resolve("tmp").toString());
    environment.put("HOME", folder.toString());
    Process process = builder.start();
    guard.watch(process.pid());
    return process;
  }

  /** The end of what the node has logged, to be appended to the message of a failure. */
  public String logTail() {
    try {
      List<String> lines = Files.readAllLines(console);
      return "; its last words:\n  "
          + String.join(
              "\n  ", lines.subList(Math.max(0, lines.size() - LOG_TAIL_LINES), lines.size()));
    } catch (IOException e) {
      return "; its log cannot be read: " + e;
    }
  }

  private static long secondsSince(long nanoTime) {
    return TimeUnit.NANOSECONDS.toSeconds(System.nanoTime() - nanoTime);
  }

  private static void pause() throws IOException {
    try {
      Thread.sleep(POLL_MILLIS);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("waiting for Elasticsearch");
    }
  }

  private int await(Process process, Duration timeout) throws IOException {
    try {
      if (process.waitFor(timeout)) {
        return process.exitValue();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("waiting for Elasticsearch");
    }
    throw new IOException("process does not end in " + timeout.toSeconds() + " s" + logTail());
  }
}
