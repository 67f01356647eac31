// Attaches a file to a draft: dotnet run -- FILE (settings: ../../README.md)
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;

const int RangeSize = 3_932_160; // Below Graph's 4 MiB for one request.

var file = new FileInfo(args[0]);
var uploadUrl = await OpenSession(file);
var location = await Upload(file, uploadUrl);

// The last answer has no body; the id is the last key of its Location: …/Attachments('AAMk…').
Console.WriteLine(Regex.Match(Uri.UnescapeDataString(location.OriginalString), @"\('([^']+)'\)$").Groups[1].Value);

static async Task<Uri> OpenSession(FileInfo file)
{
    using var proxy = new HttpClient { BaseAddress = new Uri(Setting("PROXY_URL")) };
    if (Environment.GetEnvironmentVariable("PROXY_KEY") is { Length: > 0 } key)
        proxy.DefaultRequestHeaders.Add("x-functions-key", key);
    if (Environment.GetEnvironmentVariable("PROXY_TOKEN") is { Length: > 0 } token)
        proxy.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", token);
    var (mailbox, message) = (Uri.EscapeDataString(Setting("MAILBOX")), Uri.EscapeDataString(Setting("MESSAGE_ID")));
    // A Dictionary keeps the spelling of AttachmentItem: the serialiser's web defaults would make it attachmentItem.
    var item = new Dictionary<string, object>
    {
        ["AttachmentItem"] = new { attachmentType = "file", name = file.Name, size = file.Length },
    };
    using var answer = await proxy.PostAsJsonAsync(
        $"/api/v1.0/users/{mailbox}/messages/{message}/attachments/createUploadSession", item);
    if (!answer.IsSuccessStatusCode)
        throw new HttpRequestException($"The proxy answered {(int)answer.StatusCode}: {await answer.Content.ReadAsStringAsync()}");
    var session = await answer.Content.ReadFromJsonAsync<JsonElement>();
    return new Uri(session.GetProperty("uploadUrl").GetString()!);
}

static async Task<Uri> Upload(FileInfo file, Uri uploadUrl)
{
    // A client of its own: an Authorization header, which the proxy's may have, is answered 401 by Outlook.
    using var outlook = new HttpClient();
    await using var stream = file.OpenRead();
    var buffer = new byte[RangeSize];
    Uri? location = null;
    for (long start = 0; start < file.Length; start += RangeSize)
    {
        var length = await stream.ReadAtLeastAsync(buffer, RangeSize, throwOnEndOfStream: false);
        using var range = new ByteArrayContent(buffer, 0, length);
        range.Headers.ContentType = new MediaTypeHeaderValue("application/octet-stream");
        range.Headers.ContentRange = new ContentRangeHeaderValue(start, start + length - 1, file.Length);
        using var answer = await outlook.PutAsync(uploadUrl, range);
        answer.EnsureSuccessStatusCode();
        location = answer.Headers.Location;
    }
    return location ?? throw new InvalidDataException("The last answer had no Location.");
}

static string Setting(string name) =>
    Environment.GetEnvironmentVariable(name) ?? throw new ArgumentException($"{name} is not set.");
