//! A seller with a plan, the pages of a process of its own, and browsers.

use std::fs;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use linkstar::secret::password;
use reqwest::{StatusCode, header};

use crate::night::shop::{Shop, morning};

pub const PASSWORD: &str = "correct horse 电池";
pub const TOKEN: &str = "0123456789abcdef0123456789abcdef-token";
/// What a hostile catalog calls one of its goods.
pub const HOSTILE: &str = "<script>alert(1)</script>&'x";

pub const HOSTILE_SKU: &str = "BAG-22386";

/// A process that serves pages, and its addresses.
pub struct Pages {
    child: Child,
    pub base: String,
    pub health: String,
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// Two ports for the pages and for health.
pub fn ports() -> (u16, u16) {
    let one = TcpListener::bind("127.0.0.1:0").expect("a port");
    let other = free_port();
    (one.local_addr().expect("an address").port(), other)
}

/// The `[web]` section with two people, one with a password and one with a token.
pub fn section(home: &Path, (pages, health): (u16, u16), more: &str) -> String {
    let secrets = home.join("secrets");
    fs::create_dir_all(&secrets).expect("a folder");
    let hash = password::hash(PASSWORD, [3; 16]).expect("a hash");
    fs::write(secrets.join("wang"), hash).expect("a hash");
    fs::write(secrets.join("li"), TOKEN).expect("a token");
    format!(
        "\n[web]\nlisten = '127.0.0.1:{pages}'\nhealth = '127.0.0.1:{health}'\n{more}\n\
         [[web.users]]\nname = '小王'\npassword_hash = '${{file:secrets/wang}}'\nlanguage = 'zh-CN'\n\
         [[web.users]]\nname = 'li'\ntoken = '${{file:secrets/li}}'\nlanguage = 'en'\n"
    )
}

/// A seller whose first night is over, one of its goods with a hostile name.
pub async fn shop(url: Option<&str>) -> Shop {
    let shop = Shop::with_store(7, url).await;
    let items = shop.home.join("catalog/items.csv");
    let mut table = csv::Reader::from_path(&items).expect("items");
    let columns = table.headers().expect("heads").clone();
    let place = |name: &str| columns.iter().position(|column| column == name).expect(name);
    let (sku, names) = (place("sku"), [place("name_zh"), place("name_en")]);
    fs::create_dir_all(shop.home.join("hostile")).expect("a folder");
    let mut renamed = csv::Writer::from_path(shop.home.join("hostile/items.csv")).expect("items");
    renamed.write_record(&columns).expect("heads");
    let mut seen = false;
    for row in table.records() {
        let row = row.expect("a row");
        let hostile = &row[sku] == HOSTILE_SKU;
        seen |= hostile;
        let cells = row
            .iter()
            .enumerate()
            .map(|(at, cell)| match hostile && names.contains(&at) {
                true => HOSTILE,
                false => cell,
            });
        renamed.write_record(cells).expect("a row");
    }
    renamed.flush().expect("items");
    assert!(seen, "the SKU with the hostile name is in the catalog");
    let folder = shop.home.join("hostile").display().to_string();
    let imported = shop.linkstar(&["catalog", "import", &folder, "--effective", "2025-01-02"]);
    assert_eq!(imported.code, Some(0), "{imported:?}");
    shop.night(0).await;
    shop
}

/// Adds the section to the shop's configuration and starts the pages.
pub async fn serve(shop: &Shop, more: &str) -> Pages {
    let ports = ports();
    let text = fs::read_to_string(&shop.config_file).expect("a configuration");
    let web = section(&shop.home, ports, more);
    fs::write(&shop.config_file, text + &web).expect("a configuration");
    Pages::start(&[&shop.config_file], "web", ports).await
}

impl Pages {
    pub async fn start(configs: &[&Path], role: &str, (pages, health): (u16, u16)) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_linkstar"));
        for config in configs {
            command.arg("--config").arg(config);
        }
        let at = morning(0) + chrono::Duration::hours(1);
        let child = command
            .args(["run", "--role", role, "--at", &at.to_rfc3339()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the binary starts");
        let pages = Self {
            child,
            base: format!("http://127.0.0.1:{pages}"),
            health: format!("http://127.0.0.1:{health}"),
        };
        let client = reqwest::Client::new();
        for _ in 0..200 {
            if client
                .get(format!("{}/healthz", pages.health))
                .send()
                .await
                .is_ok()
            {
                return pages;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        unreachable!("the pages are not served");
    }

    /// SIGTERM, and how the process ended.
    pub async fn stop(mut self) -> Option<i32> {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &pid]).status().expect("kill");
        assert!(sent.success());
        let status = crate::fleet::children::ended(&mut self.child, 30, "the pages").await;
        status.code()
    }

    pub fn browser(&self) -> Browser {
        Browser {
            client: reqwest::Client::builder()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .expect("a client"),
            base: self.base.clone(),
            cookies: Vec::new(),
        }
    }

    pub async fn wang(&self) -> Browser {
        let mut browser = self.browser();
        let answer = browser.login(&[("user", "小王"), ("password", PASSWORD)]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        browser
    }

    pub async fn li(&self) -> Browser {
        let mut browser = self.browser();
        let answer = browser.login(&[("user", "li"), ("password", TOKEN)]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        browser
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        if self.child.try_wait().ok().flatten().is_none() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

/// Keeps cookies and nothing else.
#[derive(Clone)]
pub struct Browser {
    client: reqwest::Client,
    base: String,
    cookies: Vec<(String, String)>,
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: header::HeaderMap,
    pub bytes: Vec<u8>,
}

impl Answer {
    pub fn html(&self) -> String {
        String::from_utf8(self.bytes.clone()).expect("UTF-8")
    }

    pub fn head(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .map_or("", |value| value.to_str().expect("a text"))
    }

    /// What a reader sees: a line a block, no markup.
    pub fn text(&self) -> String {
        let html = self.html();
        let body = html.split("<main").nth(1).unwrap_or(&html);
        let mut out = String::new();
        for piece in body.split('<').skip(1) {
            let (tag, words) = piece.split_once('>').unwrap_or(("", piece));
            let name = tag
                .trim_start_matches('/')
                .split([' ', '\n'])
                .next()
                .unwrap_or_default();
            if !["b", "small", "span", "a", "code", "time"].contains(&name) {
                out.push('\n');
            } else {
                out.push(' ');
            }
            out.push_str(words.trim_matches('\n'));
        }
        let lines = out.lines().map(|line| {
            let words: Vec<&str> = line.split_whitespace().collect();
            words.join(" ")
        });
        lines
            .filter(|line| !line.is_empty())
            .collect::<Vec<_>>()
            .join("\n")
    }

    /// A hidden field of the first form that has it, behind `after`.
    pub fn field(&self, after: &str, name: &str) -> String {
        let html = self.html();
        let rest = html.split_once(after).map_or("", |(_, rest)| rest);
        let start = format!("name=\"{name}\" value=\"");
        let value = rest.split_once(&start).map(|(_, rest)| rest);
        value
            .and_then(|rest| rest.split_once('"'))
            .map(|(value, _)| value.to_owned())
            .expect("the field is on the page")
    }
}

impl Browser {
    pub async fn ask(&mut self, request: reqwest::RequestBuilder) -> Answer {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let answer = request
            .header(header::COOKIE, cookies.join("; "))
            .send()
            .await
            .expect("an answer");
        let (status, headers) = (answer.status(), answer.headers().clone());
        for set in headers.get_all(header::SET_COOKIE) {
            let set = set.to_str().expect("a text");
            let (pair, rest) = set.split_once(';').expect("attributes");
            assert!(
                rest.contains("HttpOnly") && rest.contains("SameSite=Strict"),
                "{set}"
            );
            let (name, value) = pair.split_once('=').expect("a pair");
            self.cookies.retain(|(known, _)| known != name);
            if !rest.contains("Max-Age=0") {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        Answer {
            status,
            headers,
            bytes: answer.bytes().await.expect("a body").to_vec(),
        }
    }

    pub fn to(&self, method: reqwest::Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    pub async fn get(&mut self, path: &str) -> Answer {
        let request = self.to(reqwest::Method::GET, path);
        self.ask(request).await
    }

    pub async fn get_in(&mut self, path: &str, language: &str) -> Answer {
        let request = self
            .to(reqwest::Method::GET, path)
            .header(header::ACCEPT_LANGUAGE, language);
        self.ask(request).await
    }

    pub async fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let request = self.to(reqwest::Method::POST, path).form(fields);
        self.ask(request).await
    }

    pub async fn login(&mut self, fields: &[(&str, &str)]) -> Answer {
        let form = self.get("/login").await.field("<form", "form");
        let mut all = vec![("form", form.as_str())];
        all.extend_from_slice(fields);
        self.post("/login", &all).await
    }

    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies
            .iter()
            .find(|(known, _)| known == name)
            .map(|(_, value)| value.as_str())
    }

    /// The form below a line, filled in.
    pub async fn form(&mut self, line: &str) -> Vec<(String, String)> {
        let page = self.get(line).await;
        assert_eq!(page.status, StatusCode::OK, "{}", page.text());
        ["csrf", "plan", "warehouse.0", "sku.0", "seen.0"]
            .iter()
            .map(|name| ((*name).to_owned(), page.field("decide\">", name)))
            .collect()
    }

    /// Answers a line as a person would: opens it, fills the form in, sends it.
    pub async fn decide(&mut self, line: &str, answer: &[(&str, &str)]) -> Answer {
        let form = self.form(line).await;
        self.send(&form, answer).await
    }

    pub async fn send(&mut self, form: &[(String, String)], answer: &[(&str, &str)]) -> Answer {
        let mut fields: Vec<(&str, &str)> = form
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        fields.extend_from_slice(answer);
        self.post("/decide", &fields).await
    }
}
