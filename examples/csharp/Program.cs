// Attaches a file to a draft: dotnet run -- FILE (settings: ../README.md)
using System.Net.Http.Headers;
using System.Text.Json;

var file = new FileInfo(args[0]);
var (mailbox, message) = (Uri.EscapeDataString(Setting("MAILBOX")), Uri.EscapeDataString(Setting("MESSAGE_ID")));
var address = $"/api/v1.0/users/{mailbox}/messages/{message}/attachments?name={Uri.EscapeDataString(file.Name)}&size={file.Length}";

using var proxy = new HttpClient { BaseAddress = new Uri(Setting("PROXY_URL")), Timeout = TimeSpan.FromMinutes(4) };
using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new StreamContent(file.OpenRead()) };
request.Headers.TransferEncodingChunked = true; // Streams from the disk, without Content-Length.
request.Headers.ExpectContinue = true; // A refusal comes before the bytes are sent.
if (Environment.GetEnvironmentVariable("PROXY_KEY") is { Length: > 0 } key)
    request.Headers.Add("x-functions-key", key);
if (Environment.GetEnvironmentVariable("PROXY_TOKEN") is { Length: > 0 } token)
    request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token);

using var answer = await proxy.SendAsync(request);
var text = await answer.Content.ReadAsStringAsync();
if (!answer.IsSuccessStatusCode)
    throw new HttpRequestException($"The proxy answered {(int)answer.StatusCode}: {text}");
Console.WriteLine(JsonDocument.Parse(text).RootElement.GetProperty("id").GetString());

static string Setting(string name) =>
    Environment.GetEnvironmentVariable(name) ?? throw new ArgumentException($"{name} is not set.");
